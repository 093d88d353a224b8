import { expect, it } from "vitest";
import { stillSkipped } from "./parking.ts";

const of = { reason: "", parkedAt: 0 };
const skip = (key: string, sequence: number) => ({ ...of, id: sequence, key, sequence });

it("[park.skip] a skipped event is left out until the offset and the queue of its key pass it", () => {
  const keys = [{ ...of, id: 9, key: "b", from: 2, next: 4, batch: 1, retrying: false }];
  const skipped = [skip("a", 3), skip("a", 6), skip("b", 3), skip("b", 4)];
  const left = (next: number) => stillSkipped({ keys, skipped }, next).map(({ id }) => id);
  expect(left(3)).toEqual([3, 6, 3, 4]);
  expect(left(6)).toEqual([6, 4]);
  expect(left(7)).toEqual([4]);
});

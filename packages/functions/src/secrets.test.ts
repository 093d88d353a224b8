import { expect, it } from "vitest";
import { assertCursorKeys, readCursorKeys } from "./secrets.ts";

const SECRET = "a-secret-of-this-test";

it("a secret with a line break is refused, not cut", () => {
  expect(() => assertCursorKeys(`${SECRET}\nrest`)).toThrow("it is not set");
  expect(() => assertCursorKeys(SECRET)).not.toThrow();
});

it("entries have ids from 1 to 255, and a secret without one has the id 1", () => {
  const idsOf = (text: string) => readCursorKeys(text).map(({ id }) => id);
  expect(idsOf(SECRET)).toEqual([1]);
  expect(idsOf(`255:${SECRET}, 2:${SECRET}`)).toEqual([255, 2]);
  for (const wrong of [`0:${SECRET}`, `256:${SECRET}`, `2:${SECRET},2:${SECRET}`]) {
    expect(() => readCursorKeys(wrong)).toThrow("Set CursorKey");
  }
});

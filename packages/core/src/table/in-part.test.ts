import { expect, it } from "vitest";
import type { Connection } from "./connection.ts";
import { readEach } from "./in-part.ts";

const connection = {
  clock: { now: () => 0, monotonic: () => 0, sleep: async () => {} },
  random: { fraction: () => 0 },
} as unknown as Connection;

it("only keys without an answer are requested again, so that no row is lost that was found", async () => {
  const asked: string[][] = [];
  // Each answer has only the row of the first requested key.
  const rows = await readEach(connection, ["a", "b", "c"], async (keys) => {
    asked.push(keys);
    const [first, ...rest] = keys;
    return { data: [first, ...rest.map(() => null)], unprocessed: rest };
  });
  expect(rows).toEqual(["a", "b", "c"]);
  expect(asked).toEqual([["a", "b", "c"], ["b", "c"], ["c"]]);
});

it("a table that makes no progress is given up", async () => {
  const read = async (keys: string[]) => ({ data: keys.map(() => null), unprocessed: keys });
  await expect(readEach(connection, ["a"], read)).rejects.toMatchObject({
    code: "store-unavailable",
  });
});

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

it("a key that is there twice is requested once, because the table refuses repeated keys", async () => {
  const asked: { id: string }[][] = [];
  const keys = ["a", "b", "a"].map((id) => ({ id }));
  const rows = await readEach(connection, keys, async (some) => {
    asked.push(some);
    return { data: some.map(({ id }) => id), unprocessed: [] };
  });
  expect(rows).toEqual(["a", "b", "a"]);
  expect(asked).toEqual([[{ id: "a" }, { id: "b" }]]);
});

it("a table that makes no progress is given up", async () => {
  const read = async (keys: string[]) => ({ data: keys.map(() => null), unprocessed: keys });
  await expect(readEach(connection, ["a"], read)).rejects.toMatchObject({
    code: "store-unavailable",
  });
});

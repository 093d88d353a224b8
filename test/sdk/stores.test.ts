import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { type Mark, memory, type ViewStore } from "../../packages/sdk/src/index.ts";
import { postgres } from "../../packages/sdk/src/stores/postgres.ts";
import { sqlite } from "../../packages/sdk/src/stores/sqlite.ts";
import { postgresBin, startPostgres } from "./postgres.ts";
import { collect } from "./stack.ts";

/** Opens the same store again, as another process would. */
type Open = () => ViewStore<unknown>;

const kept = memory<unknown>();
const folder = mkdtempSync(join(tmpdir(), "eventledger-store-"));
afterAll(() => rmSync(folder, { recursive: true }));
const stores: [string, Open][] = [
  ["memory", () => kept],
  ["SQLite", () => sqlite(new DatabaseSync(join(folder, "copy.db")))],
];

const bin = postgresBin();
if (bin === undefined) {
  console.log("PostgreSQL is not installed (apt-get install postgresql): its store is not tested.");
} else {
  const { pool, stop } = await startPostgres(bin);
  afterAll(stop);
  stores.push([
    "PostgreSQL",
    () => postgres({ query: (text, values) => pool.query(text, values) }),
  ]);
}

const mark = (version: number, more: Partial<Mark> = {}): Mark => ({
  version,
  of: "s ",
  life: "l",
  round: 1,
  shown: 1,
  listing: null,
  follow: "c",
  ready: true,
  ...more,
});
const put = (key: string, row: unknown, sequence = 1) => ({ key, row, sequence });
const none = { puts: [], deletes: [], sweep: false };

describe.each(stores)("a store in %s", (_, open) => {
  it("keeps rows and mark together, and refuses a step that another process has made", async () => {
    const store = open();
    expect(await store.load()).toBeUndefined();
    const odd = ["ключ", "a'b", "%_", "\\", " ", "\u{1f600}"];
    const puts = odd.map((key, n) => put(key, { n, text: 'quote " and \u0000' }, n + 1));
    expect(await store.apply({ ...none, mark: mark(1), puts })).toBe(true);
    const other = open();
    expect(await other.load()).toEqual(mark(1));
    expect(await other.get("ключ", 1)).toEqual({ row: puts[0]?.row, sequence: 1 });

    const racing = [1, 2, 3, 4, 5, 6].map(async (n) =>
      open().apply({ ...none, mark: mark(2), puts: [put("race", n)], deletes: ["%_"] }),
    );
    const won = (await Promise.all(racing)).filter((isDone) => isDone);
    expect(won).toHaveLength(1);
    expect(await store.load()).toEqual(mark(2));
    expect(await store.apply({ ...none, mark: mark(2), puts: [put("late", 1)] })).toBe(false);
    expect(await store.get("late", 1)).toBeUndefined();
    const rows = await collect(toAsync(store.entries(1)));
    expect(new Set(rows.map(([key]) => key))).toEqual(
      new Set([...odd.filter((key) => key !== "%_"), "race"]),
    );
  });

  it("keeps the rows of two rounds apart, and sweeps the former ones", async () => {
    const store = open();
    const many = Array.from({ length: 1_200 }, (_, n) => put(`k${n}`, n));
    await store.apply({ ...none, mark: mark(3, { round: 2, ready: false }), puts: many });
    expect(await store.get("race", 1)).toBeDefined();
    expect(await collect(toAsync(store.entries(2)))).toHaveLength(1_200);
    await store.apply({ ...none, mark: mark(4, { round: 2, shown: 2 }), sweep: true });
    expect(await collect(toAsync(store.entries(1)))).toEqual([]);
    expect(await store.get("k7", 2)).toEqual({ row: 7, sequence: 1 });
  });
});

async function* toAsync<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items;
}

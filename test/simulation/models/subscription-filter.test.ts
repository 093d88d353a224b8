import { expect, it } from "vitest";
import { createCursors } from "../../../packages/core/src/cursor/cursor.ts";
import { createLedger, defaultTenant, type RawJson } from "../../../packages/core/src/index.ts";
import { unpackBatch } from "../../../packages/core/src/log/codec.ts";
import { createWorld } from "./bootstrap-world.ts";

/** These tests bootstrap with a filter, over the compacted state and over the log after it. */

const incoming = (key: string, type: string | undefined, data: string) => ({
  attributes: { key, ...(type === undefined ? {} : { type }), headers: { from: type ?? "none" } },
  data: data as RawJson,
});

type Incoming = ReturnType<typeof incoming>;
type Filter = { types?: string[]; keyPrefix?: string; headers?: Record<string, string> };

/**
 * Publishes, compacts and publishes more. Returns the fold of what a bootstrapping subscription
 * receives.
 */
async function bootstrap(before: Incoming[], after: Incoming[], filter: Filter, limit: number) {
  const { director: ledger, fake } = createWorld(
    { createLedger, createCursors, unpackBatch },
    1,
    [],
  );
  const of = [defaultTenant, "orders"] as const;
  const settings = { description: "", retentionHours: 360, archiveDays: null };
  await ledger.createStream(defaultTenant, {
    name: "orders",
    partitions: 2,
    compaction: "key",
    ...settings,
  });
  await ledger.publish(...of, before);
  await ledger.compact(...of);
  await ledger.createSubscription(...of, { name: "s", start: "bootstrap", filter });
  const state = new Map<string, string>();
  const phases: string[] = [];
  for (let published = false, done = false; !done; ) {
    const page = await ledger.poll(...of, "s", { limit });
    expect(page.events.length).toBeLessThanOrEqual(limit);
    for (const { key, data } of page.events) {
      if (data === "null") state.delete(key);
      else state.set(key, data);
    }
    if (page.events.length > 0) phases.push(page.phase);
    await ledger.commit(...of, "s", page.cursor);
    if (!published) await ledger.publish(...of, after);
    published = true;
    done = page.caughtUp;
    if (done) expect(page.consistent).toBe(true);
  }
  expect(fake.refusals).toEqual([]);
  return { state: Object.fromEntries(state), phases };
}

const many = Array.from({ length: 700 }, (_, n) =>
  incoming(`${n % 2 ? "odd" : "even"}-${n}`, `t${n % 7}`, `${n}`),
);

it.each([1, 50, 1_000])(
  "[sub.filter-state] the state of a key prefix is exact, in pages of %i",
  async (limit) => {
    const after = [
      incoming("odd-1", "t9", '"new"'),
      incoming("odd-3", undefined, "null"),
      incoming("even-0", "t9", '"new"'),
      incoming("odd-new", "t9", "0"),
    ];
    const { state, phases } = await bootstrap(
      many.slice(0, limit === 1 ? 40 : 700),
      after,
      { keyPrefix: "odd-" },
      limit,
    );
    const expected = new Map(
      [...many.slice(0, limit === 1 ? 40 : 700), ...after]
        .filter(({ attributes: { key } }) => key.startsWith("odd-"))
        .map(({ attributes: { key }, data }) => [key, data as string]),
    );
    expected.delete("odd-3");
    expect(state).toEqual(Object.fromEntries(expected));
    expect(new Set(phases)).toEqual(new Set(["bootstrap", "log"]));
  },
);

it.each<[string, Filter]>([
  ["type", { types: ["wanted"] }],
  ["header", { headers: { from: "wanted" } }],
])("[sub.filter-state] of a %s is exact for keys whose latest event matches", async (_, filter) => {
  const { state } = await bootstrap(
    [
      incoming("a", "wanted", "1"),
      incoming("b", "other", "1"),
      incoming("c", "wanted", "1"),
      incoming("c", "other", "2"),
      incoming("d", "wanted", "1"),
      incoming("d", "other", "null"),
      incoming("e", "wanted", "1"),
      incoming("f", "wanted", "1"),
      incoming("g", "other", "1"),
    ],
    [
      incoming("a", "wanted", "2"),
      incoming("b", "wanted", "2"),
      incoming("e", "other", "2"),
      // Deletions reach every subscriber, whatever their type.
      incoming("f", undefined, "null"),
      incoming("g", "other", "2"),
    ],
    filter,
    3,
  );
  // The latest events of `c` and `g` never matched. An earlier event of `e` matched and is still in
  // the state.
  expect(state).toEqual({ a: "2", b: "2", e: "1" });
});

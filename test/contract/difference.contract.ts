import type { LedgerEvent } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentedCodes } from "./access/openapi-operations.ts";
import { type Client, createClient } from "./client.ts";
import { refusal, type Target } from "./wire.ts";

/** Tests the states that changed since a cursor: as a list, and as the start of a subscription. */
export function differenceContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe.each([1, 4])("the difference in %i partitions", (partitions) => {
    listed(api, partitions);
    subscribed(api, partitions);
  });

  describe("the difference over a change of partitions", () => {
    overEpochs(api);
  });
}

const byKey = (events: readonly LedgerEvent[]) =>
  events
    .map(({ key, data }) => [key, data] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));

const folded = (events: readonly LedgerEvent[]) => {
  const state = new Map<string, unknown>();
  for (const { key, data } of events) {
    if (data === null) state.delete(key);
    else state.set(key, data);
  }
  return state;
};

/** Publishes a state, and then changes a part of it. Returns the cursor between the two. */
async function changeSome(api: Client, partitions: number) {
  const stream = await api.newStream({ partitions });
  await api.publish(
    stream,
    Array.from({ length: 40 }, (_, n) => ({ key: `key-${n}`, data: 0 })),
  );
  while (!(await api.compact(stream)).done);
  const { follow: since } = await api.listCompacted(stream, { limit: 500 });
  const before = await api.readAll(stream);
  for (const data of [1, 2, 3]) {
    await api.publish(
      stream,
      [1, 2, 3, 4, 5].map((n) => ({ key: `key-${n}`, data })),
    );
  }
  await api.publish(stream, [
    { key: "key-5", data: null, type: "key.gone", id: "last-of-5" },
    { key: "key-6", data: null },
    { key: "key-6", data: "again" },
    { key: "new", data: 1 },
    { key: "brief", data: 1 },
    { key: "brief", data: null },
  ]);
  while (!(await api.compact(stream)).done);
  return { stream, since, before };
}

const CHANGED = [
  ["brief", null],
  ["key-1", 3],
  ["key-2", 3],
  ["key-3", 3],
  ["key-4", 3],
  ["key-5", null],
  ["key-6", "again"],
  ["new", 1],
];

function listed(api: Client, partitions: number): void {
  let made: Awaited<ReturnType<typeof changeSome>>;
  beforeAll(async () => {
    made = await changeSome(api, partitions);
  });

  async function list(query: Record<string, unknown>, { stream, since } = made) {
    const items: LedgerEvent[] = [];
    let page = await api.listCompacted(stream, { ...query, since });
    items.push(...page.items);
    while (page.cursor !== null) {
      page = await api.listCompacted(stream, { ...query, cursor: page.cursor });
      items.push(...page.items);
    }
    return { items, follow: page.follow };
  }

  it("[difference.list] the list has each key that changed once, and deletions", async () => {
    for (const limit of [1, 3, 100]) {
      const { items } = await list({ limit });
      expect(byKey(items)).toEqual(CHANGED);
    }
  });

  it("[difference.list] states and deletions are as in the log", async () => {
    const log = await api.readAll(made.stream);
    const { items } = await list({});
    for (const item of items) {
      expect(item).toEqual(log.findLast(({ key }) => key === item.key));
    }
  });

  it("[difference.list] the list and what follows it complete an earlier copy", async () => {
    const own = await changeSome(api, partitions);
    const { items, follow } = await list({ limit: 2 }, own);
    await api.publish(own.stream, { key: "key-1", data: 4 });
    const later = await api.readAll(own.stream, follow);
    expect(later).toHaveLength(1);
    const all = folded(await api.readAll(own.stream));
    expect(folded([...own.before, ...items, ...later])).toEqual(all);
  });

  it("[difference.list] a prefix leaves out other keys", async () => {
    const { items } = await list({ limit: 2, keyPrefix: "key-" });
    expect(byKey(items)).toEqual(CHANGED.filter(([key]) => String(key).startsWith("key-")));
  });

  it("[difference.list] there is no difference since now, and one cursor at a time", async () => {
    const { follow } = await api.listCompacted(made.stream, { limit: 500 });
    const { items, cursor } = await api.listCompacted(made.stream, { since: follow });
    expect({ items, cursor }).toEqual({ items: [], cursor: null });
    const both = api.listCompacted(made.stream, { since: follow, cursor: follow });
    await refusal(both, "invalid-request");
    await refusal(api.listCompacted(made.stream, { since: follow, parts: 2 }), "invalid-request");
  });

  it("[difference.list] a cursor of something else is refused", async () => {
    const { cursor } = await api.listCompacted(made.stream, { since: made.since, limit: 1 });
    const within = await refusal(
      api.listCompacted(made.stream, { since: cursor }),
      "invalid-cursor",
    );
    expect(within).toMatchObject({ reason: "other-query" });
    expect(within.detail).toContain("within a snapshot");
    const { follow } = await api.listCompacted(made.stream, { limit: 500, keyPrefix: "key-" });
    for (const keyPrefix of [undefined, "new"]) {
      const few = api.listCompacted(made.stream, { since: follow, keyPrefix });
      const { detail } = await refusal(few, "invalid-cursor");
      expect(detail).toContain("other keys are asked for too");
    }
    await api.listCompacted(made.stream, { since: follow, keyPrefix: "key-1" });
    const other = await api.newStream({ partitions });
    await refusal(api.listCompacted(other, { since: made.since }), "invalid-cursor");
    const plain = await api.newStream({ compaction: "none" });
    const { body } = await api.publish(plain, { key: "a", data: 1 });
    await refusal(api.listCompacted(plain, { since: body.cursor }), "not-compacted");
    const start = { since: body.cursor };
    await refusal(api.createSubscription(plain, { name: "late", start }), "not-compacted");
    const documented = documentedCodes("POST", `/streams/${plain}/subscriptions`, 409);
    expect(documented).toContain("not-compacted");
  });
}

function subscribed(api: Client, partitions: number): void {
  /** Polls to the end, and commits each page if asked to. */
  async function pollAll(stream: string, name: string, { commit }: { commit: boolean }) {
    const events: LedgerEvent[] = [];
    const phases: string[] = [];
    let after: string | undefined;
    for (let done = false; !done; ) {
      const query = { limit: 3, ...(after === undefined ? {} : { after }) };
      const { body } = await api.poll(stream, name, query);
      events.push(...body.events);
      phases.push(...body.events.map(() => body.phase));
      if (commit) {
        const { stale } = (await api.commit(stream, name, body.cursor)).body;
        expect(stale && body.events.length > 0).toBe(false);
      } else after = body.cursor;
      done = body.caughtUp && body.consistent;
    }
    return { events, phases };
  }

  it.each([true, false])(
    "[difference.exact] a subscription that starts since a cursor gets the changed states, then the log (commits: %s)",
    async (commit) => {
      const { stream, since, before } = await changeSome(api, partitions);
      await api.createSubscription(stream, { name: "late", start: { since } });
      const info = await api.getSubscription(stream, "late");
      expect(info).toMatchObject({ start: { since }, phase: "bootstrap" });
      await api.publish(stream, { key: "key-9", data: 9 });
      const { events, phases } = await pollAll(stream, "late", { commit });
      const end = phases.indexOf("log");
      expect(byKey(events.slice(0, end))).toEqual(CHANGED);
      expect(byKey(events.slice(end))).toEqual([["key-9", 9]]);
      expect(folded([...before, ...events])).toEqual(folded(await api.readAll(stream)));
      const { phase } = await api.getSubscription(stream, "late");
      expect(phase).toBe(commit ? "log" : "bootstrap");
    },
  );

  it("[difference.exact] a seek since the own position skips the versions between", async () => {
    const stream = await api.newStream({ partitions });
    await api.createSubscription(stream, { name: "shop", start: "earliest" });
    await api.publish(stream, { key: "a", data: 0 });
    const { cursor } = (await api.poll(stream, "shop")).body;
    for (let data = 1; data <= 30; data++) await api.publish(stream, { key: "a", data });
    await api.publish(stream, { key: "b", data: 1 });
    while (!(await api.compact(stream)).done);
    const sought = await api.seek(stream, "shop", { since: cursor });
    expect(sought.body).toMatchObject({ phase: "bootstrap" });
    await refusal(api.commit(stream, "shop", cursor), "invalid-cursor");
    const { events } = await pollAll(stream, "shop", { commit: true });
    expect(byKey(events)).toEqual([
      ["a", 30],
      ["b", 1],
    ]);
  });

  it("[difference.exact] a cursor within a snapshot is no beginning of a difference", async () => {
    const { stream } = await changeSome(api, partitions);
    await api.createSubscription(stream, { name: "new", start: "bootstrap" });
    const { cursor } = (await api.poll(stream, "new", { limit: 1 })).body;
    const refused = await refusal(api.seek(stream, "new", { since: cursor }), "invalid-cursor");
    expect(refused).toMatchObject({ reason: "other-query" });
    expect(refused.detail).toContain("within a snapshot");
    expect((await api.commit(stream, "new", cursor)).body).toMatchObject({ stale: false });
  });

  it("[difference.exact] a cursor ahead of compaction is followed by the log alone", async () => {
    const stream = await api.newStream({ partitions });
    await api.createSubscription(stream, { name: "shop", start: "earliest" });
    await api.publish(
      stream,
      [1, 2, 3, 4].map((data) => ({ key: "a", data })),
    );
    const { cursor, events } = (await api.poll(stream, "shop", { limit: 2 })).body;
    await api.seek(stream, "shop", { since: cursor });
    const { events: rest } = await pollAll(stream, "shop", { commit: true });
    // Compaction may have run meanwhile. Then only the last state comes.
    expect(folded([...events, ...rest])).toEqual(new Map([["a", 4]]));
    expect(rest.every(({ sequence }) => sequence > 2)).toBe(true);
  });

  it("[difference.exact] a filter applies to the difference, and deletions pass it", async () => {
    const { stream, since } = await changeSome(api, partitions);
    const filter = { keyPrefix: "key-", types: ["none.of.them"] };
    await api.createSubscription(stream, { name: "few", start: { since }, filter });
    const { events } = await pollAll(stream, "few", { commit: true });
    expect(byKey(events)).toEqual([["key-5", null]]);
  });
}

function overEpochs(api: Client): void {
  const CHANGED = [
    ["early", null],
    ["key-1", 4],
    ["key-2", 2],
    ["key-3", null],
    ["key-4", 1],
    ["key-5", 4],
    ["late", null],
    ["new", 1],
  ];

  /** Changes some keys before a stream gets four partitions, some after it, and some both times. */
  async function growBetween() {
    const stream = await api.newStream({ partitions: 1 });
    const keys = Array.from({ length: 20 }, (_, n) => ({ key: `key-${n}`, data: 0 }));
    await api.publish(stream, [...keys, { key: "early", data: 0 }, { key: "late", data: 0 }]);
    await api.createSubscription(stream, { name: "shop", start: "earliest" });
    const { cursor: own } = (await api.poll(stream, "shop", { limit: 100 })).body;
    while (!(await api.compact(stream)).done);
    const { follow: since } = await api.listCompacted(stream, { limit: 500 });
    const before = await api.readAll(stream);
    await api.publish(stream, [
      ...[1, 2].flatMap((data) => ["key-1", "key-2", "key-3"].map((key) => ({ key, data }))),
      { key: "key-5", data: null },
      { key: "early", data: null },
    ]);
    while (!(await api.compact(stream)).done);
    await api.patchStream(stream, { partitions: 4 });
    await api.publish(stream, [
      { key: "key-1", data: 4 },
      { key: "key-3", data: null },
      { key: "key-4", data: 1 },
      { key: "key-5", data: 4 },
      { key: "late", data: null },
      { key: "new", data: 1 },
    ]);
    while (!(await api.compact(stream)).done);
    return { stream, since, before, own };
  }

  it("[difference.list] a list has the last change of each key from both sides of it", async () => {
    const { stream, since, before } = await growBetween();
    const items: LedgerEvent[] = [];
    let page = await api.listCompacted(stream, { since, limit: 2 });
    items.push(...page.items);
    while (page.cursor !== null) {
      page = await api.listCompacted(stream, { cursor: page.cursor, limit: 2 });
      items.push(...page.items);
    }
    expect(byKey(items)).toEqual(CHANGED);
    await api.publish(stream, { key: "key-1", data: 5 });
    const later = await api.readAll(stream, page.follow);
    expect(byKey(later)).toEqual([["key-1", 5]]);
    const all = folded(await api.readAll(stream));
    expect(folded([...before, ...items, ...later])).toEqual(all);
  });

  it.each(["start", "seek"])(
    "[difference.exact] a subscription gets them since a cursor of one partition by a %s",
    async (way) => {
      const { stream, since, before, own } = await growBetween();
      const name = way === "start" ? "late" : "shop";
      if (way === "start") await api.createSubscription(stream, { name, start: { since } });
      else await api.seek(stream, name, { since: own });
      const events: LedgerEvent[] = [];
      for (let done = false; !done; ) {
        const { body } = await api.poll(stream, name, { limit: 3 });
        events.push(...body.events);
        await api.commit(stream, name, body.cursor);
        done = body.caughtUp && body.consistent;
      }
      expect(byKey(events)).toEqual(CHANGED);
      expect(folded([...before, ...events])).toEqual(folded(await api.readAll(stream)));
    },
  );

  it("[difference.exact] a difference goes on while the stream gets partitions", async () => {
    const { stream, since, before } = await changeSome(api, 1);
    await api.createSubscription(stream, { name: "late", start: { since } });
    const first = (await api.poll(stream, "late", { limit: 3 })).body;
    await api.commit(stream, "late", first.cursor);
    const page = await api.listCompacted(stream, { since, limit: 3 });
    await api.patchStream(stream, { partitions: 4 });
    await api.publish(stream, [
      { key: "key-1", data: null },
      { key: "key-2", data: 9 },
    ]);
    while (!(await api.compact(stream)).done);
    const items = [...page.items];
    let { cursor, follow } = page;
    while (cursor !== null) {
      const next = await api.listCompacted(stream, { cursor, limit: 3 });
      items.push(...next.items);
      ({ cursor, follow } = next);
    }
    const all = folded(await api.readAll(stream));
    expect(folded([...before, ...items, ...(await api.readAll(stream, follow))])).toEqual(all);
    const events = [...first.events];
    for (let done = false; !done; ) {
      const { body } = await api.poll(stream, "late", { limit: 3 });
      events.push(...body.events);
      await api.commit(stream, "late", body.cursor);
      done = body.caughtUp && body.consistent;
    }
    expect(folded([...before, ...events])).toEqual(all);
  });
}

import { describe, expect, it } from "vitest";
import {
  createLedger,
  defaultTenant,
  LedgerError,
  rootCaller,
} from "../../packages/core/src/index.ts";
import { systemClock } from "../../packages/core/src/kernel/clock.ts";
import { systemRandom } from "../../packages/core/src/kernel/random.ts";
import type { IncomingEvent, RawJson } from "../../packages/core/src/model/event.ts";
import { tenantOf } from "../../packages/core/src/model/names.ts";
import { copyRows, putBack, putRows, type StoredRow } from "../support/copy-rows.ts";
import { createTestTable } from "../support/test-table.ts";

type Table = Awaited<ReturnType<typeof createTestTable>>;

/** This is added to the clock of every ledger here. */
let aheadMs = 0;
const NAME = "orders";
const EARLIEST = { name: "s", start: "earliest" } as const;
const STREAM = {
  name: NAME,
  description: "",
  partitions: 1,
  compaction: "key" as const,
  retentionHours: 1,
  archiveDays: null,
} as const;

function open(table: Table) {
  const ledger = createLedger({
    client: table.client,
    tableName: table.tableName,
    clock: {
      ...systemClock,
      now: () => Date.now() + aheadMs,
      monotonic: () => performance.now() + aheadMs,
    },
    random: systemRandom,
    cursorKeys: [{ id: 1, secret: Buffer.from("a secret of this test") }],
  });
  const t = defaultTenant;
  const events = (from: number, count: number, key?: string): IncomingEvent[] =>
    Array.from({ length: count }, (_, index) => ({
      attributes: { key: key ?? `k${from + index}` },
      data: String(from + index) as RawJson,
    }));
  return {
    ledger,
    publish: async (from: number, count: number, idempotencyKey?: string, key?: string) => {
      const receipt = await ledger.publish(t, NAME, events(from, count, key), { idempotencyKey });
      return { ...receipt, numbers: receipt.events.map(({ sequence }) => sequence) };
    },
    browse: async (from: string, limit = 100) => {
      const page = await ledger.browse(t, NAME, { from, limit });
      return { ...page, data: page.events.map(({ data }) => Number(data)) };
    },
    poll: async (request: object = {}, name = "s") => {
      const page = await ledger.poll(t, NAME, name, { limit: 100, ...request });
      return { ...page, data: page.events.map(({ data }) => Number(data)) };
    },
    commit: (cursor: string, name = "s") => ledger.commit(t, NAME, name, cursor),
    restored: (name?: string) => ledger.completeRestore(name),
    t,
  };
}

type World = ReturnType<typeof open>;

const refusal = async (running: Promise<unknown>): Promise<string> => {
  try {
    await running;
    return "none";
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const { reason } = error.facts;
    return reason === undefined ? error.code : `${error.code} ${reason}`;
  }
};

/**
 * Publishes five events and commits a subscription after three of them. Returns the rows of that
 * moment.
 */
async function beforeTheLoss(config: object = STREAM) {
  const table = await createTestTable();
  const before = open(table);
  const { ledger, t } = before;
  await ledger.createStream(t, { ...STREAM, ...config });
  await ledger.createSubscription(t, NAME, EARLIEST);
  const first = await before.publish(1, 3, "first");
  const kept = await before.poll();
  await before.commit(kept.cursor);
  await before.publish(4, 2);
  const atEnd = await before.poll();
  return {
    table,
    before: { ...before, table },
    copy: await copyRows(table.client, table.tableName),
    first,
    kept,
    atEnd,
  };
}

/** Puts the copy into a new table, as a restore does. */
async function restore(copy: readonly StoredRow[]): Promise<World & { table: Table }> {
  const table = await createTestTable();
  await putRows(table.client, table.tableName, copy);
  return { ...open(table), table };
}

describe("a table that was restored", () => {
  it("[restore.pending] a copy answers no request of its streams until the operation is done", async () => {
    const { copy, kept } = await beforeTheLoss();
    const after = await restore(copy);
    const { ledger, t } = after;
    const asked: Record<string, () => Promise<unknown>> = {
      publish: () => after.publish(6, 1),
      browse: () => after.browse("earliest"),
      poll: () => after.poll(),
      commit: () => after.commit(kept.cursor),
      seek: () => ledger.seek(t, NAME, "s", { to: "latest" }),
      create: () => ledger.createStream(t, STREAM),
      delete: () => ledger.deleteStream(t, NAME),
      patch: () => ledger.patchStream(t, NAME, { retentionHours: 2 }),
      view: () => ledger.getStream(t, NAME),
      subscribe: () => ledger.createSubscription(t, NAME, { name: "x", start: "latest" }),
      compacted: () => ledger.listCompacted(t, NAME, { limit: 10 }),
      compact: () => ledger.compact(t, NAME),
      park: () => ledger.park(t, NAME, "s", { sequence: 1, reason: "" }),
    };
    for (const [what, ask] of Object.entries(asked)) {
      expect(await refusal(ask()), what).toBe("restore-pending");
    }
    const rows = await copyRows(after.table.client, after.table.tableName);
    const { stuck } = await ledger.sweep();
    expect(stuck.map(({ code }) => code)).toEqual(["restore-pending"]);
    const pk = rows.find(({ sk }) => sk?.S?.startsWith("SEQ#"))?.pk?.S ?? "";
    await ledger.ring([pk]);
    expect(await copyRows(after.table.client, after.table.tableName)).toEqual(rows);
    expect(await after.restored()).toEqual({ streams: 1, done: true });
    expect(await after.restored()).toEqual({ streams: 0, done: true });
    expect(await refusal(after.publish(6, 1))).toBe("none");
  });

  it("[restore.numbers] no number is assigned twice, even when the same copy is restored once more", async () => {
    const { before, copy } = await beforeTheLoss();
    const lost = await before.publish(6, 5);
    const given = new Set(lost.numbers);
    for (let restores = 0; restores < 3; restores++) {
      const after = await restore(copy);
      await after.restored();
      const { numbers } = await after.publish(100, 50);
      expect(numbers.filter((number) => given.has(number))).toEqual([]);
      for (const number of numbers) given.add(number);
      const { data, caughtUp } = await after.browse("earliest");
      expect(data).toEqual([1, 2, 3, 4, 5, ...numbers.map((_, index) => 100 + index)]);
      expect(caughtUp).toBe(true);
    }
  });

  it("[restore.lost] a cursor that covers a lost event is refused, and others work", async () => {
    const { before, copy, first, kept, atEnd } = await beforeTheLoss();
    const receipt = await before.publish(6, 5);
    const ahead = await before.poll();
    const part = await before.poll({ limit: 4 });
    const browsed = await before.browse("earliest", 7);
    await before.commit(ahead.cursor);
    const after = await restore(copy);
    await after.restored();
    await after.publish(20, 8);
    const rest = [20, 21, 22, 23, 24, 25, 26, 27];
    for (const cursor of [receipt.cursor, browsed.cursor]) {
      expect(await refusal(after.browse(cursor))).toBe("invalid-cursor restored");
      expect(await refusal(after.poll({ after: cursor }))).toBe("invalid-cursor restored");
    }
    for (const cursor of [ahead.cursor, part.cursor]) {
      expect(await refusal(after.commit(cursor))).toBe("invalid-cursor restored");
      expect(await refusal(after.poll({ after: cursor }))).toBe("invalid-cursor restored");
    }
    expect((await after.browse(first.cursor)).data).toEqual([4, 5, ...rest]);
    expect((await after.poll({ after: kept.cursor })).data).toEqual([4, 5, ...rest]);
    expect((await after.poll({ after: atEnd.cursor })).data).toEqual(rest);
    expect(await refusal(after.browse("8"))).toBe("invalid-cursor restored");
    expect((await after.browse("6")).data).toEqual(rest);
    expect((await after.browse("4")).data).toEqual([4, 5, ...rest]);
    // The reader can continue: what it committed was kept, or its cursor covers only what was
    // restored.
    const page = await after.poll();
    expect(page.data).toEqual([4, 5, ...rest]);
    expect((await after.commit(atEnd.cursor)).stale).toBe(false);
    expect((await after.poll()).data).toEqual(rest);
    expect((await after.commit(page.cursor)).stale).toBe(false);
    expect(await after.poll()).toMatchObject({ data: [], caughtUp: true, lag: { events: 0 } });
  });

  it("[restore.lost] a cursor of another copy that was in use and abandoned is refused", async () => {
    const { copy } = await beforeTheLoss();
    const givenUp = await restore(copy);
    await givenUp.restored();
    await givenUp.publish(30, 5);
    const cursors = [(await givenUp.browse("earliest", 2)).cursor, (await givenUp.poll()).cursor];
    const after = await restore(copy);
    await after.restored();
    await after.publish(40, 50);
    const [browsed = "", polled = ""] = cursors;
    expect(await refusal(after.browse(browsed))).toBe("invalid-cursor restored");
    expect(await refusal(after.commit(polled))).toBe("invalid-cursor restored");
    // The table is restored from the copy that was in use, so its cursors are valid.
    const again = await restore(await copyRows(givenUp.table.client, givenUp.table.tableName));
    await again.restored();
    expect((await again.browse(browsed)).data).toEqual([3, 4, 5, 30, 31, 32, 33, 34]);
  });

  it("[life.named] a restore gives another life, which a pause does not change", async () => {
    const { before, copy } = await beforeTheLoss();
    const lives = [(await before.ledger.getStream(before.t, NAME)).life];
    for (let restores = 0; restores < 2; restores++) {
      const after = await restore(copy);
      await after.restored();
      lives.push((await after.ledger.getStream(after.t, NAME)).life);
      expect((await after.browse("earliest")).life).toBe(lives.at(-1));
      await after.ledger.sweep();
      expect((await after.publish(9, 1)).life).toBe(lives.at(-1));
    }
    expect(new Set(lives).size).toBe(3);
  });

  it.each([
    ["claims", 1],
    ["receipts", 3],
  ])(
    "[restore.receipts] a retry of lost events is written, and of kept ones answered: %s",
    async (_, partitions) => {
      const { table, before, copy, first } = await beforeTheLoss({ partitions });
      const lost = await before.publish(6, 2, "second");
      // The copy contains a receipt without its events, because rows of a copy are not of one
      // moment.
      const receipts = (await copyRows(table.client, table.tableName)).filter(
        ({ sk }) => sk?.S === "IDEMPOTENCY#second",
      );
      expect(receipts).toHaveLength(1);
      const after = await restore([...copy, ...receipts]);
      await after.restored();
      const retried = await after.publish(6, 2, "second");
      expect(retried).toMatchObject({ replayed: false });
      expect(retried.numbers).not.toEqual(lost.numbers);
      expect((await after.browse("earliest")).data.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(await after.publish(6, 2, "second")).toMatchObject({
        replayed: true,
        numbers: retried.numbers,
      });
      const replay = await after.publish(1, 3, "first");
      expect(replay).toMatchObject({ replayed: true, numbers: first.numbers });
    },
  );

  it("[restore.lost] events that a page withheld are kept when the restore undid their parking", async () => {
    const { before, copy } = await beforeTheLoss();
    await before.ledger.park(before.t, NAME, "s", { sequence: 4, reason: "fails" });
    const withheld = await before.poll();
    expect(withheld.data).toEqual([5]);
    const after = await restore(copy);
    await after.restored();
    expect(await refusal(after.commit(withheld.cursor))).toBe("invalid-cursor restored");
    expect((await after.poll()).data).toEqual([4, 5]);
  });

  it("[restore.lost] a cursor of a seek or a lease that the restore undid is refused", async () => {
    const { before, copy } = await beforeTheLoss();
    await before.ledger.seek(before.t, NAME, "s", { to: "earliest" });
    const sought = await before.poll({ limit: 4 });
    const worked = await before.poll({ consumer: "a" });
    const after = await restore(copy);
    await after.restored();
    await after.ledger.seek(after.t, NAME, "s", { to: "earliest" });
    expect(await refusal(after.commit(sought.cursor))).toBe("invalid-cursor seeked");
    const page = await after.poll({ consumer: "b" });
    expect(await refusal(after.commit(worked.cursor))).toBe("invalid-cursor seeked");
    expect((await after.commit(page.cursor)).stale).toBe(false);
  });

  it("[restore.lost] a worker is fenced when its lease was given again under the same number", async () => {
    const { before, copy } = await beforeTheLoss();
    const worked = await before.poll({ consumer: "a" });
    const after = await restore(copy);
    await after.restored();
    const page = await after.poll({ consumer: "b" });
    expect(await refusal(after.commit(worked.cursor))).toBe("lease-lost");
    expect((await after.commit(page.cursor)).stale).toBe(false);
  });

  it("[restore.state] a snapshot in progress continues, and others begin again", async () => {
    const { before } = await beforeTheLoss();
    await before.ledger.compact(before.t, NAME);
    const view = { name: "view", start: "bootstrap" } as const;
    await before.ledger.createSubscription(before.t, NAME, view);
    const page = await before.poll({ limit: 2 }, "view");
    await before.commit(page.cursor, "view");
    const copy = await copyRows(before.table.client, before.table.tableName);
    // A lost event overwrote a key of the snapshot, so a scan at that time left the key out.
    await before.publish(6, 1, undefined, "k5");
    await before.ledger.compact(before.t, NAME);
    const over = await before.poll({ limit: 10 }, "view");
    const after = await restore(copy);
    await after.restored();
    await after.publish(7, 1, undefined, "k6");
    expect(await refusal(after.commit(over.cursor, "view"))).toBe("invalid-cursor restored");
    const state = new Map(page.events.map(({ key, data }) => [key, data]));
    for (let last = false; !last; ) {
      const next = await after.poll({ limit: 2 }, "view");
      for (const { key, data } of next.events) state.set(key, data);
      await after.commit(next.cursor, "view");
      last = next.consistent && next.caughtUp;
    }
    expect([...state].sort()).toEqual([
      ...[1, 2, 3, 4, 5].map((n) => [`k${n}`, String(n)]),
      ["k6", "7"],
    ]);
    const { items } = await after.ledger.listCompacted(after.t, NAME, { limit: 10 });
    expect(items.map(({ key }) => key).sort()).toEqual(["k1", "k2", "k3", "k4", "k5"]);
    await after.ledger.compact(after.t, NAME);
    const { event } = await after.ledger.getCompacted(after.t, NAME, "k6");
    expect(event.data).toBe("7");
  });

  it("[restore.lost] gaps of a copy whose rows are not of one moment are closed", async () => {
    const { before } = await beforeTheLoss();
    await before.publish(6, 2);
    const inHole = await before.poll();
    await before.commit(inHole.cursor);
    await before.publish(8, 1);
    await before.publish(9, 1);
    await before.ledger.compact(before.t, NAME);
    const all = await copyRows(before.table.client, before.table.tableName);
    const copy = all.filter(({ sk }) => !/^SEQ#0+(6|9)$/.test(sk?.S ?? ""));
    expect(copy).toHaveLength(all.length - 2);
    const after = await restore(copy);
    await after.restored();
    await after.publish(20, 2);
    expect((await after.browse("earliest")).data).toEqual([1, 2, 3, 4, 5, 8, 20, 21]);
    expect((await after.browse("6")).data).toEqual([8, 20, 21]);
    expect(await refusal(after.browse("7"))).toBe("invalid-cursor restored");
    // The committed offset is at the end of the lost events in the hole, where the kept events
    // continue.
    expect((await after.poll()).data).toEqual([8, 20, 21]);
    await after.ledger.sweep();
    expect(await after.ledger.compact(after.t, NAME)).toMatchObject({ done: true });
    expect((await after.ledger.getStream(after.t, NAME)).watermarkLag.events).toBe(0);
  });

  it("[restore.lost] a committed offset that covers lost events is refused, and a way to continue is named", async () => {
    const { before, copy } = await beforeTheLoss();
    await before.publish(6, 3);
    await before.commit((await before.poll({ limit: 4 })).cursor);
    const offsets = (await copyRows(before.table.client, before.table.tableName)).filter(({ sk }) =>
      sk?.S?.startsWith("OFFSET#"),
    );
    const isOffset = ({ sk }: StoredRow) => sk?.S?.startsWith("OFFSET#");
    const after = await restore([...copy.filter((row) => !isOffset(row)), ...offsets]);
    await after.restored();
    await after.publish(20, 1);
    expect(await refusal(after.poll())).toBe("invalid-cursor restored");
    await expect(after.poll()).rejects.toMatchObject({ facts: { seek: "bootstrap" } });
    expect((await after.ledger.getSubscription(after.t, NAME, "s")).lag.events).toBe(1);
    await after.ledger.seek(after.t, NAME, "s", { to: "latest" });
    await after.publish(21, 1);
    expect((await after.poll()).data).toEqual([21]);
  });

  it("[restore.state] skipped numbers count neither as lag nor as events", async () => {
    const { copy } = await beforeTheLoss();
    const after = await restore(copy);
    await after.restored();
    const { ledger, t } = after;
    expect(await ledger.getStream(t, NAME)).toMatchObject({ eventCount: 5 });
    expect(await ledger.getSubscription(t, NAME, "s")).toMatchObject({ lag: { events: 2 } });
    await after.publish(20, 3);
    expect(await ledger.getStream(t, NAME)).toMatchObject({ eventCount: 8 });
    expect(await ledger.getSubscription(t, NAME, "s")).toMatchObject({
      lag: { events: 5 },
      keysBehind: 5,
    });
    expect(await ledger.compact(t, NAME)).toMatchObject({ done: true, compactedEvents: 3 });
  });

  it("[restore.state] kept events expire in their time, and reading continues after them", async () => {
    const { copy } = await beforeTheLoss();
    const after = await restore(copy);
    await after.restored();
    await after.publish(20, 1);
    aheadMs += 2 * 3_600_000;
    try {
      await after.publish(21, 1);
      await after.ledger.sweep();
      expect((await after.browse("earliest")).data).toEqual([21]);
      expect(await refusal(after.poll())).toBe("retention-passed");
    } finally {
      aheadMs = 0;
    }
  });

  it("[retention.passed] a reader of everything that was kept gets no 410", async () => {
    const { copy, atEnd } = await beforeTheLoss();
    const after = await restore(copy);
    await after.restored();
    await after.commit(atEnd.cursor);
    aheadMs += 2 * 3_600_000;
    try {
      await after.publish(21, 1);
      await after.ledger.sweep();
      expect((await after.poll()).data).toEqual([21]);
    } finally {
      aheadMs = 0;
    }
  });

  it("[restore.partitions] a change of partitions after the restored moment is undone", async () => {
    const { before, copy, atEnd } = await beforeTheLoss();
    await before.ledger.patchStream(before.t, NAME, { partitions: 2 });
    const drained = await before.browse("earliest", 5);
    const lost = await before.publish(6, 5);
    const read = await before.browse("earliest");
    const polled = await before.poll();
    const after = await restore(copy);
    await after.restored();
    const { ledger, t } = after;
    const ahead = [drained.cursor, read.cursor, lost.cursor];
    const areRefused = async () => {
      for (const cursor of ahead) {
        expect(await refusal(after.browse(cursor))).toBe("invalid-cursor restored");
      }
      expect(await refusal(after.commit(polled.cursor))).toBe("invalid-cursor restored");
    };
    await areRefused();
    const restored = await ledger.getStream(t, NAME);
    expect(restored).toMatchObject({ partitions: 1, eventCount: 5 });
    expect(restored.epochs).toBeUndefined();
    // The next change gives other partitions the same numbers.
    await ledger.patchStream(t, NAME, { partitions: 3 });
    const { numbers } = await after.publish(20, 6);
    expect(Math.min(...numbers)).toBeGreaterThan(Math.max(...lost.numbers));
    await areRefused();
    const rest = [20, 21, 22, 23, 24, 25];
    expect((await after.poll({ after: atEnd.cursor })).data.sort()).toEqual(rest);
    const page = await after.browse("earliest");
    expect(page.data.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(page.data.slice(5).sort()).toEqual(rest);
    expect((await ledger.getStream(t, NAME)).eventCount).toBe(11);
    expect(await ledger.compact(t, NAME)).toMatchObject({ done: true, compactedEvents: 6 });
  });

  it.each(["before the turn", "after the turn"])(
    "[restore.partitions] a change that has begun in the copy is completed: %s",
    async (moment) => {
      const { table, before, copy, atEnd } = await beforeTheLoss();
      await before.ledger.patchStream(before.t, NAME, { partitions: 2 });
      const lost = await before.publish(6, 5);
      const read = await before.browse("earliest");
      // The copy has a row of that change, and not its end.
      const turns = (await copyRows(table.client, table.tableName)).filter(
        ({ k }) => k?.S === "turn",
      );
      expect(turns).toHaveLength(1);
      const begun = copy.map((row) =>
        row.sk?.S === "META" && row.epoch !== undefined ? { ...row, growing: { N: "2" } } : row,
      );
      const after = await restore(moment === "before the turn" ? begun : [...begun, ...turns]);
      await after.restored();
      expect(await after.restored()).toEqual({ streams: 0, done: true });
      const info = await after.ledger.getStream(after.t, NAME);
      expect(info).toMatchObject({ partitions: 2, eventCount: 5 });
      expect(info.epochs).toHaveLength(2);
      for (const cursor of [read.cursor, lost.cursor]) {
        expect(await refusal(after.browse(cursor))).toBe("invalid-cursor restored");
      }
      const { numbers } = await after.publish(20, 6);
      expect(Math.min(...numbers)).toBeGreaterThan(Math.max(...lost.numbers));
      expect(await refusal(after.browse(read.cursor))).toBe("invalid-cursor restored");
      const rest = [20, 21, 22, 23, 24, 25];
      expect((await after.poll({ after: atEnd.cursor })).data.sort()).toEqual(rest);
      expect((await after.browse("earliest")).data).toHaveLength(11);
    },
  );

  it("[restore.resume] the operation covers all tenants, and continues after its time limit and after a crash", async () => {
    const { before } = await beforeTheLoss({ partitions: 3 });
    const { ledger, t } = before;
    const acme = tenantOf("acme");
    await ledger.access.createTenant(rootCaller, { name: "acme" });
    await ledger.createStream(acme, { ...STREAM, name: "theirs" });
    await ledger.createStream(t, { ...STREAM, name: "more" });
    const after = await restore(await copyRows(before.table.client, before.table.tableName));
    const calls = [];
    for (let done = false; !done; ) {
      const call = await after.ledger.completeRestore(undefined, { budgetMs: 0 });
      calls.push(call.streams);
      done = call.done;
    }
    expect(calls).toEqual([1, 1, 1]);
    const theirs = { from: "earliest", limit: 1 };
    expect(await refusal(after.ledger.browse(acme, "theirs", theirs))).toBe("none");
  });

  it("[restore.resume] the operation takes a name when the copy has the table's former name", async () => {
    const { table, before, copy } = await beforeTheLoss();
    const lost = await before.publish(6, 5);
    const ahead = await before.poll();
    await before.commit(ahead.cursor);
    await putBack(table.client, table.tableName, copy);
    // This process still remembers ends, checkpoints and positions from before the restore.
    expect(await before.restored("monday")).toEqual({ streams: 1, done: true });
    expect(await before.restored("monday")).toEqual({ streams: 0, done: true });
    expect(await refusal(before.commit(ahead.cursor))).toBe("invalid-cursor restored");
    const { numbers } = await before.publish(20, 8);
    expect(numbers.filter((number) => lost.numbers.includes(number))).toEqual([]);
    expect((await before.poll()).data).toEqual([4, 5, 20, 21, 22, 23, 24, 25, 26, 27]);
    expect(await before.restored("tuesday")).toEqual({ streams: 1, done: true });
    expect((await before.browse("earliest")).data).toHaveLength(13);
  });

  it("[restore.pending] a copy of a table of an older version is recognised once a sweep has visited it", async () => {
    const { before, copy } = await beforeTheLoss();
    const old = copy.map(({ table: _, ...row }) => row as StoredRow);
    expect(JSON.stringify(old)).not.toContain(before.table.tableName);
    const upgraded = await restore(old);
    expect(await refusal(upgraded.browse("earliest"))).toBe("none");
    await upgraded.ledger.sweep();
    const after = await restore(await copyRows(upgraded.table.client, upgraded.table.tableName));
    expect(await refusal(after.browse("earliest"))).toBe("restore-pending");
  });
});

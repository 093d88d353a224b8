import assert from "node:assert/strict";
import type { Ledger } from "../../../packages/core/src/index.ts";
import { edgeAt } from "../../../packages/core/src/model/position.ts";
import { simulateLog } from "./log/simulated-log.ts";
import { openWorld } from "./retention-scenarios.ts";
import type { Scenario } from "./subscription/scenario.ts";
import { event, OF, openServers, SUB, subscribe } from "./subscription/two-servers.ts";

const DAY_MS = 86_400_000;

/**
 * The scenarios in which a reader finds no row at its place: the rows have expired, or a restore
 * has used up their numbers.
 */
export const readingScenarios = (seed: number): readonly Scenario[] => [
  {
    name: "[retention.passed] is refused where a row has expired and nothing moved the floor",
    play: () => gapUnattended(seed),
  },
  {
    name: "[retention.passed] is refused where the last rows have expired",
    play: () => endExpired(seed),
  },
  {
    name: "[restore.numbers] is read over numbers that a restore used up, although their row has expired",
    play: () => jumpExpired(),
  },
  {
    name: "[restore.lost] takes no cursor that covers what a restore lost",
    play: cursorsAfterRestore,
  },
];

async function cursorsAfterRestore(): Promise<void> {
  const { here, time, store } = openServers();
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1), event("a", 2)]);
    const kept = await here.poll(...OF, SUB, { limit: 1 });
    const copy = store.items();
    await here.publish(...OF, [event("a", 3)]);
    const lost = await here.poll(...OF, SUB, { limit: 10 });
    return { copy, kept: kept.cursor, lost: lost.cursor };
  };
  const { copy, kept, lost } = await time.finish(story());
  // The copy is put into use under the same name.
  const restored = openServers();
  restored.store.load(copy);
  await restored.time.finish(readRestored(restored.there, kept, lost));
}

async function readRestored(ledger: Ledger, kept: string, lost: string): Promise<void> {
  while (!(await ledger.completeRestore("again", { budgetMs: 20_000 })).done);
  await ledger.publish(...OF, [event("a", 4)]);
  const refused = { code: "invalid-cursor", facts: { reason: "restored" } };
  await assert.rejects(ledger.commit(...OF, SUB, lost), refused);
  await assert.rejects(ledger.poll(...OF, SUB, { limit: 10, after: lost }), refused);
  assert.equal((await ledger.commit(...OF, SUB, kept)).stale, false);
  const { events } = await ledger.poll(...OF, SUB, { limit: 10 });
  assert.deepEqual(
    events.map(({ data }) => data),
    ["2", "4"],
  );
}

/** The first row expires, and the second one does not. */
async function gapUnattended(seed: number): Promise<void> {
  const { world, store, publish, read } = await openWorld(1, seed);
  await publish(1);
  world.nowMs += DAY_MS;
  await publish(2);
  world.nowMs += 29 * DAY_MS;
  assert.deepEqual(await read("earliest"), [1, 2]);
  world.nowMs += DAY_MS / 4;
  assert.equal(store.expireItems({ lateMs: 0 }), 1);
  assert.equal(await read("earliest"), "retention-passed");
}

/** Compaction has passed all rows before they expire. */
async function endExpired(seed: number): Promise<void> {
  const { world, ledger, store, publish, read } = await openWorld(1, seed);
  const { cursor } = await ledger.browse(...OF, { from: "earliest", limit: 1 });
  await publish(1);
  await ledger.compact(...OF);
  assert.deepEqual(await read(cursor), [1]);
  world.nowMs += 31 * DAY_MS;
  assert.ok(store.expireItems({ lateMs: 0 }) >= 1);
  assert.equal(await read(cursor), "retention-passed");
}

async function jumpExpired(): Promise<void> {
  const simulated = simulateLog("jump", { latencyMs: () => 1, scanMs: 0, commitMs: 0 });
  const { time } = simulated;
  const a = simulated.start("a");
  const story = async () => {
    await simulated.createStream(a, 1);
    const data = "1" as never;
    await a.log.publish(await a.recall(), [{ attributes: { key: "k" }, data }]);
    const { life } = await a.load();
    const checkedAt = a.process.clock.now();
    const lost = [{ id: "restore", from: 2, to: 1_000 }];
    await a.table.checkpoints.move(life, 0, 1, { next: 1_000, checkedAt, lost });
    const page = { room: { events: 10, bytes: 1_000_000 }, nextPartition: 0 };
    const read = await simulated.start("fresh").log.read(life, [edgeAt(1)], page);
    assert.deepEqual(
      read.entries.map(({ event: { sequence } }) => sequence),
      [1],
    );
    assert.partialDeepStrictEqual(read.runs, [{ position: edgeAt(1_000), atEnd: true }]);
  };
  await time.finish(story());
}

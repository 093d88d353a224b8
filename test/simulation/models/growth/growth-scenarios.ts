import assert from "node:assert/strict";
import type { Ledger } from "../../../../packages/core/src/index.ts";
import type { Scenario } from "../subscription/scenario.ts";
import { event, OF, openServers, subscribe } from "../subscription/two-servers.ts";

/**
 * The scenarios of a change of partitions whose moments are too rare for a seed: snapshots while
 * compaction passes from one epoch to the next, and restores of a copy from around a change.
 */
export const growthScenarios: readonly Scenario[] = [
  {
    name: "[bootstrap.exact] compaction enters an epoch once it has ended the one before it",
    play: compactsInOrder,
  },
  {
    name: "[bootstrap.exact] a snapshot holds no event that is newer than one after it",
    play: snapshotWhileCompacting,
  },
  {
    name: "[restore.partitions] a restore undoes a change, and refuses cursors of its partitions",
    play: () => restoreAround("before the change"),
  },
  {
    name: "[restore.partitions] a restore completes a change, and refuses cursors of its partitions",
    play: () => restoreAround("in the change"),
  },
  {
    name: "[publish.expected] a restore does not hide the events before an epoch without events",
    play: expectAfterRestore,
  },
];

type Servers = ReturnType<typeof openServers>;

/** Publishes an event of a key in each of two epochs. Nothing is compacted. */
async function growTwice({ here }: Pick<Servers, "here">): Promise<void> {
  await subscribe(here);
  await here.publish(...OF, [event("a", 1)]);
  await here.patchStream(...OF, { partitions: 2 });
  await here.publish(...OF, [event("a", 2)]);
}

/** Returns the data of all events of the key, from a snapshot and then from the log. */
async function bootstrap(by: Ledger): Promise<string[]> {
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await by.poll(...OF, "view", { limit: 10, ...(after && { after }) });
    seen.push(...page.events.map(({ data }) => data));
    after = page.cursor;
    if (page.caughtUp && page.consistent) return seen;
  }
}

/** The events of a key never go back, whatever the snapshot holds. */
function assertRising(seen: readonly string[]): void {
  assert.deepEqual(seen, seen.toSorted());
  assert.equal(seen.at(-1), "2");
}

async function compactsInOrder(): Promise<void> {
  const servers = openServers();
  const { here, there, store, time } = servers;
  const story = async () => {
    await growTwice(servers);
    // The compactor hears of the new partitions only.
    const rung = store
      .items()
      .flatMap(({ pk }) => (/#P[12]$/.test(String(pk)) ? [String(pk)] : []));
    await there.ring(rung);
    await here.createSubscription(...OF, { name: "view", start: "bootstrap" });
    return bootstrap(here);
  };
  assertRising(await time.finish(story()));
}

async function snapshotWhileCompacting(): Promise<void> {
  const servers = openServers();
  const { here, there, time, holdAnswer } = servers;
  const story = async () => {
    await growTwice(servers);
    await here.createSubscription(...OF, { name: "view", start: "bootstrap" });
    // The snapshot has read the first of the checkpoints when compaction ends both epochs.
    const goOn = holdAnswer(/^GetCommand .*"CHECKPOINT"/);
    const reading = bootstrap(here);
    await there.compact(...OF);
    goOn();
    return reading;
  };
  assertRising(await time.finish(story()));
}

/** Restores a copy from before a change or from the middle of it, and changes the partitions. */
async function restoreAround(moment: "before the change" | "in the change"): Promise<void> {
  const { here, time, store } = openServers();
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1), event("a", 2)]);
    const { cursor: kept } = await here.browse(...OF, { limit: 10 });
    const isBegun = moment === "in the change";
    const copy = store
      .items()
      .map((item) => (item.sk === "META" && isBegun ? { ...item, growing: 2 } : item));
    await here.patchStream(...OF, { partitions: 2 });
    const { events } = await here.publish(...OF, [event("a", 3), event("b", 3)]);
    const { cursor: lost } = await here.browse(...OF, { limit: 10 });
    return { copy, kept, lost, given: events.map(({ sequence }) => sequence) };
  };
  const { copy, kept, lost, given } = await time.finish(story());
  const restored = openServers();
  restored.store.load(copy);
  const { there: ledger } = restored;
  const after = async () => {
    while (!(await ledger.completeRestore("again", { budgetMs: 20_000 })).done);
    const refused = { code: "invalid-cursor", facts: { reason: "restored" } };
    const assertRefused = () =>
      assert.rejects(ledger.browse(...OF, { from: lost, limit: 10 }), refused);
    await assertRefused();
    await ledger.patchStream(...OF, { partitions: 3 });
    await assertRefused();
    const { events } = await ledger.publish(...OF, [event("a", 4)]);
    for (const { sequence } of events) assert.ok(sequence > Math.max(...given));
    const page = await ledger.browse(...OF, { from: kept, limit: 10 });
    assert.deepEqual(
      page.events.map(({ data }) => data),
      ["4"],
    );
  };
  await restored.time.finish(after());
}

async function expectAfterRestore(): Promise<void> {
  const { here, time, store } = openServers();
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1)]);
    await here.patchStream(...OF, { partitions: 2 });
    return store.items();
  };
  const copy = await time.finish(story());
  const restored = openServers();
  restored.store.load(copy);
  const { there: ledger } = restored;
  const after = async () => {
    while (!(await ledger.completeRestore("again", { budgetMs: 20_000 })).done);
    const publish = (expectedSequence: number) =>
      ledger.publish(...OF, [{ ...event("a", 2), expectedSequence }]);
    await assert.rejects(publish(0), { code: "sequence-mismatch" });
    assert.equal((await publish(1)).events.length, 1);
  };
  await restored.time.finish(after());
}

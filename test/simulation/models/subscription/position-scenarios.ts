import assert from "node:assert/strict";
import type { Ledger } from "../../../../packages/core/src/index.ts";
import { type Scenario, scenario } from "./scenario.ts";
import { event, OF, SUB, subscribe } from "./two-servers.ts";

/**
 * These scenarios check the committed offset of a subscription and the answers about it, from any
 * process, however slow.
 */

const poll = (ledger: Ledger, more: object = {}) =>
  ledger.poll(...OF, SUB, { limit: 1_000, ...more });
const dataOf = ({ events }: { events: readonly { data: unknown }[] }) =>
  events.map(({ data }) => Number(data));
/** Matches a read of a subscription's positions. */
const POSITIONS = /^QueryCommand .*#SUB#/;

/** A slower read never replaces what a process remembers from a later one. */
const memories: readonly Scenario[] = [
  scenario("[poll.caught-up] is not forgotten for a look from before a seek", async (world) => {
    const { here, holdAnswer, driver } = world;
    await subscribe(here);
    await here.publish(...OF, [event("a", 1)]);
    await here.commit(...OF, SUB, (await poll(here)).cursor);
    await driver.clock.sleep(6_000);
    const letGo = holdAnswer(POSITIONS);
    const slow = here.getSubscription(...OF, SUB);
    await driver.clock.sleep(100);
    await here.seek(...OF, SUB, { to: "earliest" });
    letGo();
    await slow;
    const page = await poll(here);
    assert.deepEqual(dataOf(page), [1]);
    await here.commit(...OF, SUB, page.cursor);
  }),

  scenario("[park.retry] is not forgotten for a look from before it", async (world) => {
    const { here, holdAnswer, driver } = world;
    await subscribe(here);
    await here.publish(...OF, [event("a", 1), event("b", 2)]);
    await here.park(...OF, SUB, { sequence: 1, reason: "" });
    await here.commit(...OF, SUB, (await poll(here)).cursor);
    await driver.clock.sleep(6_000);
    const letGo = holdAnswer(POSITIONS);
    const slow = here.getSubscription(...OF, SUB);
    await driver.clock.sleep(100);
    await here.release(...OF, SUB, { key: "a", how: "retry" });
    letGo();
    await slow;
    assert.deepEqual(dataOf(await poll(here)), [1]);
  }),

  scenario(
    "[sub.seek] is not forgotten for an earlier seek that is answered late",
    async (world) => {
      const { here, holdAnswer, driver } = world;
      await subscribe(here);
      await here.publish(...OF, [event("a", 1)]);
      const letGo = holdAnswer(/^TransactWriteCommand .*OFFSET/);
      const slow = here.seek(...OF, SUB, { to: "latest" });
      await driver.clock.sleep(100);
      await here.seek(...OF, SUB, { to: "earliest" });
      letGo();
      await slow;
      assert.deepEqual(dataOf(await poll(here)), [1]);
    },
  ),
];

const commit = (ledger: Ledger, cursor: string) => ledger.commit(...OF, SUB, cursor);
const park = (ledger: Ledger, sequence: number) =>
  ledger.park(...OF, SUB, { sequence, reason: "" });
const numbers = (count: number) => Array.from({ length: count }, (_, n) => event("a", n + 1));

/** The answer to a commit is true. */
const commits: readonly Scenario[] = [
  scenario("[poll.commit] reads on from a cursor that others have overtaken", async (world) => {
    const { here, there } = world;
    await subscribe(here);
    await here.publish(...OF, numbers(6));
    const slow = await poll(here, { limit: 1 });
    await commit(there, (await poll(there, { limit: 4 })).cursor);
    const page = await here.commitAndPoll(...OF, SUB, { commit: slow.cursor, limit: 10 });
    assert.partialDeepStrictEqual(page, { stale: true, redelivers: "nothing", consistent: true });
    assert.deepEqual(dataOf(page), [2, 3, 4, 5, 6]);
    assert.equal((await commit(here, page.cursor)).stale, false);
  }),

  scenario("[poll.commit] says when what others have overtaken is gone", async (world) => {
    const { here, there, driver } = world;
    await subscribe(here);
    await here.publish(...OF, numbers(4));
    const slow = await poll(here, { limit: 1 });
    await commit(there, (await poll(there)).cursor);
    await driver.clock.sleep(65 * 60_000);
    await here.publish(...OF, [event("a", 5)]);
    await here.sweep({ budgetMs: 20_000 });
    const page = await here.commitAndPoll(...OF, SUB, { commit: slow.cursor, limit: 10 });
    assert.partialDeepStrictEqual(page, { stale: true, consistent: false });
    assert.deepEqual(dataOf(page), [5]);
  }),

  scenario("[sub.commit-monotone] is not stale when the answer was lost", async (world) => {
    const { here, store } = world;
    await subscribe(here);
    await here.publish(...OF, numbers(2));
    const { cursor } = await poll(here);
    let lost = 0;
    store.setFaults(() => ({ "error-after": lost++ === 0 ? 1 : 0 }));
    assert.equal((await commit(here, cursor)).stale, false);
    assert.ok(lost > 1);
    store.setFaults();
    assert.equal((await commit(here, cursor)).stale, true);
  }),

  scenario("[sub.commit-void] says that a released key is delivered again", async (world) => {
    const { here } = world;
    await subscribe(here);
    await here.publish(...OF, [event("a", 1), event("b", 2)]);
    await park(here, 1);
    const { cursor } = await poll(here);
    await here.release(...OF, SUB, { key: "a", how: "retry" });
    assert.partialDeepStrictEqual(await commit(here, cursor), {
      stale: true,
      redelivers: "all",
      redeliversBecause: ["key-released"],
    });
    const page = await here.commitAndPoll(...OF, SUB, { commit: cursor, limit: 10 });
    assert.partialDeepStrictEqual(page, { stale: true, redelivers: "all" });
    assert.deepEqual(dataOf(page), [1, 2]);
  }),

  scenario("[sub.commit-void] says that a part is, of several partitions", async (world) => {
    const { here } = world;
    await subscribe(here, {}, 2);
    const keys = Array.from({ length: 8 }, (_, n) => `k${n}`);
    const { events } = await here.publish(
      ...OF,
      keys.map((key, n) => event(key, n)),
    );
    const [first] = events;
    await here.park(...OF, SUB, { sequence: first?.sequence ?? 0, key: "k0", reason: "" });
    const { cursor } = await poll(here);
    await here.release(...OF, SUB, { key: "k0", how: "retry" });
    assert.partialDeepStrictEqual(await commit(here, cursor), {
      stale: false,
      redelivers: "part",
      redeliversBecause: ["key-released"],
    });
    assert.ok(dataOf(await poll(here)).includes(0));
  }),

  scenario(
    "[sub.commit-void] says that a queue comes again, and when it does not",
    async (world) => {
      const { here } = world;
      await subscribe(here);
      await here.publish(...OF, [event("a", 1), event("b", 2), event("a", 3)]);
      await park(here, 1);
      await commit(here, (await poll(here)).cursor);
      await here.release(...OF, SUB, { key: "a", how: "retry" });
      const queued = await poll(here);
      await park(here, 3);
      assert.partialDeepStrictEqual(await commit(here, queued.cursor), {
        stale: true,
        redelivers: "all",
        redeliversBecause: ["queue-changed"],
      });
      await here.release(...OF, SUB, { key: "a", how: "retry" });
      const again = await poll(here);
      assert.deepEqual(dataOf(again), [3]);
      assert.partialDeepStrictEqual(await commit(here, again.cursor), { stale: false });
      const repeated = await commit(here, again.cursor);
      assert.partialDeepStrictEqual(repeated, { stale: true, redelivers: "nothing" });
    },
  ),

  scenario("[bootstrap.after] is not passed over by a cursor of a publish", async (world) => {
    const { here } = world;
    await subscribe(here, { start: "bootstrap" });
    await here.publish(...OF, [event("a", 1), event("b", 2)]);
    await here.sweep({ budgetMs: 20_000 });
    const { cursor: after } = await here.publish(...OF, [event("a", 3)]);
    const page = await poll(here, { after });
    assert.partialDeepStrictEqual(page, { phase: "bootstrap", snapshotEnd: true });
    assert.deepEqual(dataOf(page).toSorted(), [1, 2]);
    await commit(here, page.cursor);
    const next = await poll(here);
    assert.partialDeepStrictEqual(next, { phase: "log", consistent: true });
    assert.deepEqual(dataOf(next), [3]);
  }),
];

/** A worker that leaves takes nothing back. */
const departures: readonly Scenario[] = [
  ...(["here", "there"] as const).map((where) =>
    scenario(
      `[lease.leave] ends a wait of that name through the process ${where}`,
      async (world) => {
        const { here, driver } = world;
        await subscribe(here, { leaseSeconds: 30 });
        let ended = false;
        const waiting = poll(world[where], { consumer: "a", waitSeconds: 15 }).finally(() => {
          ended = true;
        });
        await driver.clock.sleep(3_000);
        await here.leave(...OF, SUB, "a");
        await driver.clock.sleep(where === "here" ? 200 : 2_000);
        assert.equal(ended, true);
        await here.publish(...OF, [event("a", 1)]);
        assert.deepEqual(dataOf(await waiting), []);
        assert.deepEqual(dataOf(await poll(here, { consumer: "b" })), [1]);
        // The worker polls again under the same name, so it counts as alive from then on.
        await here.leave(...OF, SUB, "b");
        assert.deepEqual(dataOf(await poll(here, { consumer: "a" })), [1]);
      },
    ),
  ),
];

export const positionScenarios: readonly Scenario[] = [...memories, ...commits, ...departures];

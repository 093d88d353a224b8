import assert from "node:assert/strict";
import type { Ledger } from "../../../../packages/core/src/index.ts";
import { type Scenario, scenario } from "./scenario.ts";
import { event, OF, SUB, subscribe } from "./two-servers.ts";

/**
 * One scenario for every place that compares the token of a lease, where no other check would
 * notice a fault.
 */

const LEASE_MS = 3_000;
const LEASED = { leaseSeconds: LEASE_MS / 1_000 };
const LOST = { code: "lease-lost" };

const poll = (ledger: Ledger, consumer: string | undefined, more: object = {}) =>
  ledger.poll(...OF, SUB, { limit: 2, consumer, ...more });
const commit = (ledger: Ledger, cursor: string) => ledger.commit(...OF, SUB, cursor);
const dataOf = ({ events }: { events: readonly { data: unknown }[] }) =>
  events.map(({ data }) => Number(data));
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => event(`k${from + index}`, from + index));
const sharesOf = async (ledger: Ledger) => {
  const { members } = await ledger.getSubscription(...OF, SUB);
  return Object.fromEntries(members.map(({ consumer, share }) => [consumer, share]));
};

const inTheLog: readonly Scenario[] = [
  scenario(
    "[lease.fencing] refuses a cursor of a share that is lost, though it covers nothing new",
    async ({ here, driver }) => {
      await subscribe(here, LEASED);
      await here.publish(...OF, numbers(1, 4));
      const { cursor } = await poll(here, "a");
      await driver.clock.sleep(LEASE_MS + 1);
      await commit(here, (await poll(here, "b", { limit: 4 })).cursor);
      await assert.rejects(commit(here, cursor), LOST);
    },
  ),

  scenario(
    "[lease.fencing] refuses a cursor of another process's share that is lost, as it is of its own",
    async ({ here, there, driver }) => {
      await subscribe(here, LEASED);
      await here.publish(...OF, numbers(1, 4));
      const { cursor } = await poll(here, "a");
      await driver.clock.sleep(LEASE_MS + 1);
      await commit(there, (await poll(there, "b")).cursor);
      await assert.rejects(commit(there, cursor), LOST);
      await assert.rejects(commit(here, cursor), LOST);
    },
  ),

  scenario("[lease.fencing] moves nothing for a worker that was overtaken", async (world) => {
    const { here, there, driver } = world;
    await subscribe(here, LEASED);
    await here.publish(...OF, numbers(1, 4));
    const { cursor } = await poll(here, "a");
    await driver.clock.sleep(LEASE_MS + 1);
    await poll(there, "b");
    await assert.rejects(commit(here, cursor), LOST);
    assert.equal((await there.getSubscription(...OF, SUB)).lag.events, 4);
  }),

  scenario(
    "[lease.fencing] takes no commit of another worker for its own, whose answer was lost",
    async ({ here, there, store, driver }) => {
      await subscribe(here, LEASED);
      await here.publish(...OF, numbers(1, 4));
      const { cursor } = await poll(here, "a");
      await driver.clock.sleep(LEASE_MS + 1);
      const taken = await poll(there, "b");
      store.setFaults(() => ({ "error-before": 1 }));
      const late = assert.rejects(commit(here, cursor), LOST);
      await driver.clock.sleep(100);
      store.setFaults();
      assert.equal((await commit(there, taken.cursor)).stale, false);
      await late;
    },
  ),

  scenario(
    "[lease.fencing] renews nothing that another has taken meanwhile",
    async ({ here, there, driver, holdAnswer }) => {
      await subscribe(here, LEASED);
      await here.publish(...OF, numbers(1, 4));
      await poll(here, "a");
      await driver.clock.sleep(LEASE_MS + 1);
      // The first worker's knowledge of the lease is from before the second one took it.
      const letGo = holdAnswer(/^QueryCommand .*#SUB#.*OFFSET/);
      const late = poll(here, "a");
      await driver.clock.sleep(100);
      const { cursor } = await poll(there, "b");
      letGo();
      const { events, cursor: void_ } = await late;
      assert.deepEqual(events, []);
      await commit(here, void_);
      assert.equal((await commit(there, cursor)).stale, false);
    },
  ),

  scenario(
    "[lease.leave] gives up nothing that another has taken meanwhile",
    async ({ here, there, driver, holdAnswer }) => {
      await subscribe(here, LEASED);
      await here.publish(...OF, numbers(1, 4));
      await poll(here, "a");
      await driver.clock.sleep(LEASE_MS + 1);
      // The worker leaves. Its knowledge of the lease is from before the other worker took it.
      const noteLeave = holdAnswer(/^PutCommand .*MEMBER#a/);
      const late = here.leave(...OF, SUB, "a");
      await driver.clock.sleep(100);
      const letGo = holdAnswer(/^QueryCommand .*#SUB#.*OFFSET/);
      noteLeave();
      await driver.clock.sleep(100);
      await poll(there, "b");
      letGo();
      await late;
      assert.deepEqual(await sharesOf(there), { b: 1 });
    },
  ),
];

/** Prepares a key whose parked event is retried, so that its queue is delivered next. */
async function openQueue(ledger: Ledger): Promise<void> {
  await subscribe(ledger, LEASED);
  await ledger.publish(...OF, [event("a", 1), event("a", 2), event("b", 3)]);
  await ledger.park(...OF, SUB, { sequence: 1, reason: "" });
  await commit(ledger, (await poll(ledger, undefined, { limit: 10 })).cursor);
  await ledger.release(...OF, SUB, { key: "a", how: "retry" });
}

const inAQueue: readonly Scenario[] = [
  scenario("[lease.fencing] moves no queue for a worker that was overtaken", async (world) => {
    const { here, there, driver } = world;
    await openQueue(here);
    const page = await poll(here, "a");
    assert.deepEqual(dataOf(page), [1, 2]);
    await driver.clock.sleep(LEASE_MS + 1);
    assert.deepEqual(dataOf(await poll(there, "b")), [1, 2]);
    await assert.rejects(commit(here, page.cursor), LOST);
    assert.deepEqual(dataOf(await poll(there, "b")), [1, 2]);
  }),

  scenario(
    "[lease.fencing] moves no queue for a worker that is overtaken while it commits",
    async ({ here, there, driver, holdAnswer }) => {
      await openQueue(here);
      const { cursor } = await poll(here, "a");
      await driver.clock.sleep(LEASE_MS + 1);
      const letGo = holdAnswer(/^GetCommand .*OFFSET/);
      const late = commit(here, cursor).then(
        () => "moved",
        ({ code }) => code,
      );
      await driver.clock.sleep(100);
      await poll(there, "b");
      letGo();
      assert.equal(await late, LOST.code);
      assert.deepEqual(dataOf(await poll(there, "b")), [1, 2]);
    },
  ),
];

/** Prepares a compacted state of three keys, and a subscription that reads it page by page. */
async function openSnapshot(ledger: Ledger): Promise<void> {
  await subscribe(ledger, { ...LEASED, start: "bootstrap" });
  await ledger.publish(...OF, numbers(1, 3));
  await ledger.compact(...OF);
}

const inASnapshot: readonly Scenario[] = [
  scenario(
    "[lease.fencing] moves no snapshot for a worker that was overtaken",
    async ({ here, there, driver }) => {
      await openSnapshot(here);
      const first = await poll(here, "a", { limit: 1 });
      assert.equal(first.phase, "bootstrap");
      await driver.clock.sleep(LEASE_MS + 1);
      const again = await poll(there, "b", { limit: 1 });
      await assert.rejects(commit(here, first.cursor), LOST);
      assert.equal((await commit(there, again.cursor)).stale, false);
    },
  ),

  scenario(
    "[lease.fencing] ends no snapshot for a worker that was overtaken",
    async ({ here, there, driver }) => {
      await openSnapshot(here);
      let page = await poll(here, "a", { limit: 10 });
      while (!page.snapshotEnd) page = await poll(here, "a", { limit: 10, after: page.cursor });
      await driver.clock.sleep(LEASE_MS + 1);
      await poll(there, "b", { limit: 1 });
      await assert.rejects(commit(here, page.cursor), LOST);
      assert.equal((await there.getSubscription(...OF, SUB)).phase, "bootstrap");
    },
  ),
];

export const fencingScenarios: readonly Scenario[] = [...inTheLog, ...inAQueue, ...inASnapshot];

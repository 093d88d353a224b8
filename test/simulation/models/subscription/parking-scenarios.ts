import assert from "node:assert/strict";
import type { Ledger } from "../../../../packages/core/src/index.ts";
import { type Scenario, scenario } from "./scenario.ts";
import { event, HOUR_MS, OF, SUB, subscribe } from "./two-servers.ts";

/** The scenarios check that a key without waiting events is free in every view. */

const poll = (ledger: Ledger, more: object = {}) =>
  ledger.poll(...OF, SUB, { limit: 1_000, ...more });
const park = (ledger: Ledger, sequence: number) =>
  ledger.park(...OF, SUB, { sequence, reason: "" });
const parkedKeys = async (ledger: Ledger) => (await ledger.getSubscription(...OF, SUB)).parkedKeys;
const dataOf = ({ events }: { events: readonly { data: unknown }[] }) =>
  events.map(({ data }) => Number(data));
const skip = (ledger: Ledger, key: string) => ledger.release(...OF, SUB, { key, how: "skip" });

const skipped: readonly Scenario[] = [
  ...[false, true].map(
    (isRead): Scenario =>
      scenario(
        `[park.skip] is free once the commit passes that event, read before: ${isRead}`,
        async ({ here }) => {
          await subscribe(here);
          await here.publish(...OF, [event("a", 1)]);
          const before = await poll(here);
          await park(here, 1);
          await skip(here, "a");
          const { cursor } = isRead ? before : await poll(here);
          assert.equal((await here.commit(...OF, SUB, cursor)).stale, false);
          assert.equal(await parkedKeys(here), 0);
          await here.publish(...OF, [event("a", 2)]);
          assert.deepEqual(dataOf(await poll(here)), [2]);
        },
      ),
  ),

  scenario("[park.skip] wakes a poll that waits with its next event", async ({ here, driver }) => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1)]);
    await park(here, 1);
    await skip(here, "a");
    const waiting = poll(here, { waitSeconds: 20 });
    await driver.clock.sleep(3_000);
    await here.publish(...OF, [event("a", 2)]);
    assert.deepEqual(dataOf(await waiting), [2]);
  }),

  scenario("[park.skip] keeps what a page from before has not processed", async ({ here }) => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1), event("a", 2), event("b", 3)]);
    const { cursor } = await poll(here);
    await park(here, 1);
    await skip(here, "a");
    await here.commit(...OF, SUB, cursor);
    assert.deepEqual(dataOf(await poll(here)), [2]);
  }),

  scenario(
    "[park.skip] is never received, also when the key is parked again before it",
    async ({ here }) => {
      await subscribe(here);
      await here.publish(...OF, [event("a", 1), event("a", 2), event("a", 3)]);
      await park(here, 2);
      await skip(here, "a");
      await park(here, 1);
      const first = await poll(here);
      assert.deepEqual(dataOf(first), []);
      await here.commit(...OF, SUB, first.cursor);
      await here.release(...OF, SUB, { key: "a", how: "retry" });
      const seen: number[] = [];
      for (let n = 0; n < 3; n++) {
        const page = await poll(here);
        seen.push(...dataOf(page));
        await here.commit(...OF, SUB, page.cursor);
      }
      assert.deepEqual(seen, [1, 3]);
    },
  ),

  scenario("[park.limits] takes no place of the hundred", async ({ here }) => {
    await subscribe(here);
    const events = Array.from({ length: 102 }, (_, n) => event(`k${n}`, n));
    await here.publish(...OF, events);
    const { cursor } = await poll(here);
    for (let n = 0; n < 100; n++) {
      await park(here, n + 1);
      await skip(here, `k${n}`);
    }
    await park(here, 101);
    await assert.rejects(skip(here, "k100"), { code: "not-parkable" });
    await here.commit(...OF, SUB, cursor);
    assert.equal(await parkedKeys(here), 1);
    assert.deepEqual(await skip(here, "k100"), { key: "k100", status: "free" });
    await park(here, 102);
    assert.equal(await parkedKeys(here), 1);
  }),

  scenario("[park.max-deliveries] leaves room for what is parked by itself", async ({ here }) => {
    await subscribe(here, { maxDeliveries: 2 });
    const events = Array.from({ length: 100 }, (_, n) => event(`k${n}`, n));
    await here.publish(...OF, events);
    for (let n = 0; n < 100; n++) {
      await park(here, n + 1);
      await skip(here, `k${n}`);
    }
    await here.publish(...OF, [event("poison", 100)]);
    const polls: number[][] = [];
    for (let n = 0; n < 4; n++) polls.push(dataOf(await poll(here, { limit: 1 })));
    assert.deepEqual(polls.at(-1), []);
    const { parked } = await here.listParked(...OF, SUB, { limit: 200 });
    assert.partialDeepStrictEqual(
      parked.find(({ key }) => key === "poison"),
      { status: "parked" },
    );
  }),
];

const retried: readonly Scenario[] = [
  scenario(
    "[park.retry] is free when others have committed past all that waited of it",
    async ({ here, there }) => {
      await subscribe(here);
      await here.publish(...OF, [event("a", 1), event("b", 2)]);
      await park(here, 1);
      const first = await poll(here);
      await here.commit(...OF, SUB, first.cursor);
      await here.release(...OF, SUB, { key: "a", how: "retry" });
      const queued = await poll(here);
      assert.deepEqual(dataOf(queued), [1]);
      await here.publish(...OF, [event("b", 3)]);
      const later = await poll(there, { after: queued.cursor });
      assert.deepEqual(dataOf(later), [3]);
      await there.commit(...OF, SUB, later.cursor);
      await here.publish(...OF, [event("a", 4)]);
      assert.deepEqual(dataOf(await poll(here)), [4]);
    },
  ),

  scenario(
    "[park.key] loses nothing when it is parked from an event that no retry has brought",
    async ({ here }) => {
      await subscribe(here);
      await here.publish(...OF, [event("a", 1), event("b", 2)]);
      await park(here, 1);
      await here.commit(...OF, SUB, (await poll(here)).cursor);
      await here.release(...OF, SUB, { key: "a", how: "retry" });
      await here.publish(...OF, [event("a", 3)]);
      // A consumer that parks event 3 has read it elsewhere, so this says nothing about event 1.
      assert.partialDeepStrictEqual(await park(here, 3), { sequence: 1, status: "parked" });
      await here.commit(...OF, SUB, (await poll(here)).cursor);
      await here.release(...OF, SUB, { key: "a", how: "retry" });
      assert.deepEqual(dataOf(await poll(here)), [1, 3]);
    },
  ),

  scenario(
    "[park.key] is counted when it is parked, and not when nothing changes",
    async (world) => {
      const { here, there, parkedBy } = world;
      await subscribe(here, { maxDeliveries: 1 });
      await here.publish(...OF, [event("a", 1), event("a", 2), event("b", 3)]);
      await park(here, 2);
      await park(there, 2);
      assert.deepEqual(parkedBy, ["here"]);
      await park(there, 1);
      assert.deepEqual(parkedBy, ["here", "there"]);
      for (let n = 0; n < 3; n++) await poll(here, { limit: 1 });
      assert.deepEqual(parkedBy, ["here", "there", "here"]);
    },
  ),

  scenario(
    "[park.expired] says that its event has expired, and a skip goes on with what is left",
    async ({ here, driver }) => {
      await subscribe(here);
      await here.publish(...OF, [event("a", 1), event("b", 2)]);
      await park(here, 1);
      await here.commit(...OF, SUB, (await poll(here)).cursor);
      await here.release(...OF, SUB, { key: "a", how: "retry" });
      await driver.clock.sleep((HOUR_MS * 5) / 6);
      await here.publish(...OF, [event("a", 3)]);
      await driver.clock.sleep(HOUR_MS / 4);
      await here.sweep({ budgetMs: 20_000 });
      assert.deepEqual(dataOf(await poll(here)), []);
      const { parked } = await here.listParked(...OF, SUB, { limit: 10 });
      assert.partialDeepStrictEqual(parked, [{ key: "a", sequence: 1, expired: true }]);
      const retry = here.release(...OF, SUB, { key: "a", how: "retry" });
      await assert.rejects(retry, { code: "retention-passed" });
      await skip(here, "a");
      await here.publish(...OF, [event("a", 4)]);
      const seen: number[] = [];
      for (let n = 0; n < 3; n++) {
        const page = await poll(here);
        seen.push(...dataOf(page));
        await here.commit(...OF, SUB, page.cursor);
      }
      assert.deepEqual(seen, [3, 4]);
      assert.equal(await parkedKeys(here), 0);
    },
  ),
];

/** The scenarios for keys that wait for nothing, and for keys whose events expire. */
export const parkingScenarios: readonly Scenario[] = [...skipped, ...retried];

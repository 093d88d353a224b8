import { LIMITS } from "@eventledger/protocol";
import { expect, it } from "vitest";
import type { Ledger } from "../../../packages/core/src/index.ts";
import { event, OF, openServers, SUB, subscribe } from "./subscription/two-servers.ts";

/** These tests check when a worker counts as alive, and what its polls cost. */

const poll = (ledger: Ledger, consumer: string) => ledger.poll(...OF, SUB, { limit: 10, consumer });
const namesOf = async (ledger: Ledger) =>
  (await ledger.getSubscription(...OF, SUB)).members.map(({ consumer }) => consumer);

it("[lease.share] a worker is alive for a lease after its last poll, not only after its first", async () => {
  const { here, there, time, driver } = openServers();
  const story = async () => {
    await subscribe(here, { leaseSeconds: 10 });
    await poll(here, "a");
    await driver.clock.sleep(8_000);
    await poll(here, "a");
    await driver.clock.sleep(8_000);
    expect(await namesOf(there)).toEqual(["a"]);
    await driver.clock.sleep(3_000);
    expect(await namesOf(there)).toEqual([]);
  };
  await time.finish(story());
});

it("[lease.share] a subscription that is full of workers keeps those that it has", async () => {
  const { here, there, time, driver, store } = openServers();
  const worker = (n: number) => `w${String(n).padStart(3, "0")}`;
  const story = async () => {
    await subscribe(here, { leaseSeconds: 30 });
    await poll(here, worker(0));
    const member = store.items().find(({ sk }) => sk === `MEMBER#${worker(0)}`) ?? {};
    const others = Array.from({ length: LIMITS.consumersMax - 1 }, (_, n) => worker(n + 1));
    store.load(others.map((c) => ({ ...member, c, consumer: c, sk: `MEMBER#${c}` })));
    await driver.clock.sleep(15_000);
    await expect(poll(there, "one-more")).rejects.toMatchObject({
      code: "too-many-requests",
      facts: { consumersMax: LIMITS.consumersMax },
    });
    for (const ledger of [here, there]) await poll(ledger, worker(0));
    await driver.clock.sleep(20_000);
    // The other workers have expired by now.
    expect(await namesOf(there)).toEqual([worker(0)]);
    await poll(there, "one-more");
  };
  await time.finish(story());
});

it("[lease.standby] a poll that finds its worker's share unchanged reads the rows once", async () => {
  const { here, time, store } = openServers();
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("k", 1)]);
    const first = await poll(here, "a");
    await here.commit(...OF, SUB, first.cursor);
    await poll(here, "a");
    const before = store.tally.all();
    await poll(here, "a");
    const sent = Object.entries(store.tally.all()).flatMap(([name, count]) => {
      const more = count - (before[name] ?? 0);
      return name.startsWith("sent.") && more > 0 ? [[name, more]] : [];
    });
    // The queries read the workers, the positions, and the next events of the log.
    expect(Object.fromEntries(sent)).toEqual({ "sent.query": 3 });
  };
  await time.finish(story());
});

it("[lease.leave] a poll is over if it began before its worker left, and a later one is not", async () => {
  const { here, there, time, holdAnswer, driver } = openServers();
  const story = async () => {
    await subscribe(here, { leaseSeconds: 30 });
    await here.publish(...OF, [event("k", 1), event("k", 2)]);
    // The ledger has looked at the workers for this poll when the worker leaves.
    const letGo = holdAnswer(/^QueryCommand .*MEMBER/);
    const looked = poll(here, "a");
    await driver.clock.sleep(100);
    await there.leave(...OF, SUB, "a");
    letGo();
    expect(await looked).toMatchObject({ events: [] });
    expect((await poll(there, "b")).events).toHaveLength(2);
    await there.leave(...OF, SUB, "b");
    // For this poll the ledger has only committed. It reads the workers afterwards, so the poll
    // counts as a later one.
    const { cursor } = await here.poll(...OF, SUB, { limit: 1, consumer: "a" });
    const letGoOn = holdAnswer(/^UpdateCommand .*OFFSET/);
    const committing = here.commitAndPoll(...OF, SUB, {
      ...{ commit: cursor, limit: 10, consumer: "a" },
    });
    await driver.clock.sleep(100);
    await there.leave(...OF, SUB, "a");
    letGoOn();
    expect((await committing).events.map(({ data }) => data)).toEqual(["2"]);
    // The other worker has no lease yet.
    expect((await poll(there, "b")).events).toEqual([]);
    await driver.clock.sleep(31_000);
    expect((await poll(there, "b")).events).toHaveLength(1);
  };
  await time.finish(story());
});

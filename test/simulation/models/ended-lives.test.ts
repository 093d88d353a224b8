import { expect, it } from "vitest";
import { event, OF, openServers, SUB, subscribe } from "./subscription/two-servers.ts";

/** These tests check what is left of a life, a restore or a lag, in the views of operators. */

const HOUR_MS = 3_600_000;

it("[stream.delete] a deletion seals the stream itself, and a late ring compacts nothing of it", async () => {
  const { here, there, time, store } = openServers();
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1)]);
    const [batch] = store.items().filter(({ sk }) => /^SEQ#/.test(String(sk)));
    await here.deleteStream(...OF);
    const job = store.items().find(({ pk }) => pk === "REMOVAL");
    expect(job).toHaveProperty("sealedAt");
    await subscribe(here);
    const rung = await there.ring([String(batch?.pk)], { budgetMs: 20_000 });
    expect(rung).toMatchObject({ compactedEvents: 0, stuck: [] });
    expect(store.items().filter(({ sk }) => /^KEY#/.test(String(sk)))).toEqual([]);
    const swept = await there.sweep({ budgetMs: 20_000 });
    expect(swept).toMatchObject({ endsFinished: 0, stuck: [] });
  };
  await time.finish(story());
});

it("the lag of compaction is the age of the first event that is not compacted", async () => {
  const { here, time, driver } = openServers();
  const story = async () => {
    await subscribe(here);
    const info = async () => (await here.getStream(...OF, {} as never)).watermarkLag;
    await here.publish(...OF, [event("a", 1)]);
    await here.compact(...OF);
    await driver.clock.sleep(100_000);
    await here.publish(...OF, [event("b", 2), event("b", 3)]);
    await driver.clock.sleep(5_000);
    expect(await info()).toMatchObject({ events: 2 });
    expect((await info()).seconds).toBeCloseTo(5, 0);
    expect(await here.compactionLag()).toBeCloseTo(5, 0);
  };
  await time.finish(story());
});

it("[list.page] a subscription that is deleted meanwhile is left out", async () => {
  const { here, there, time, holdAnswer, driver } = openServers();
  const story = async () => {
    await subscribe(here);
    await there.createSubscription(...OF, { name: "t", start: "earliest" });
    for (const view of [
      async () => (await here.getStream(...OF, {} as never)).subscriptions,
      async () =>
        (await here.listSubscriptions(...OF, { limit: 10, stats: true }, {} as never))
          .subscriptions,
    ]) {
      const letGo = holdAnswer(/^QueryCommand .*SUB#/);
      const viewing = view();
      await driver.clock.sleep(100);
      await there.deleteSubscription(...OF, SUB);
      letGo();
      expect(JSON.stringify(await viewing)).not.toContain('"name":"s"');
      await there.createSubscription(...OF, { name: SUB, start: "earliest" });
    }
  };
  await time.finish(story());
});

it("[restore.resume] a restore is completed once, and its stream can be written to at once", async () => {
  const first = openServers();
  const before = async () => {
    const { here } = first;
    await subscribe(here);
    await here.patchStream(...OF, { retentionHours: 72 });
    await here.publish(...OF, [event("a", 1)]);
    await here.compact(...OF);
    await here.publish(...OF, [event("a", 2)]);
    await here.patchStream(...OF, { retentionHours: 1 });
    return first.store.items();
  };
  const copy = await first.time.finish(before());
  const { here, time, store, driver } = openServers();
  store.load(copy);
  const story = async () => {
    await driver.clock.sleep(25 * HOUR_MS);
    const complete = () => here.completeRestore("again", { budgetMs: 20_000 });
    expect(await complete()).toEqual({ streams: 1, done: true });
    expect(await complete()).toEqual({ streams: 0, done: true });
    await here.publish(...OF, [event("a", 3)]);
    const expiries = store
      .items()
      .filter(({ sk }) => /^SEQ#/.test(String(sk)))
      .sort((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1))
      .map(({ expiresAt }) => Number(expiresAt));
    expect(expiries).toHaveLength(4);
    expect(expiries).toEqual(expiries.toSorted((a, b) => a - b));
  };
  await time.finish(story());
});

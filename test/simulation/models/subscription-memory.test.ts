import { PROBLEM_EXAMPLES } from "@eventledger/functions/http/openapi/problem-examples.ts";
import { expect, it } from "vitest";
import { event, HOUR_MS, OF, openServers, SUB, subscribe } from "./subscription/two-servers.ts";

/**
 * These tests check that what a process remembers of a subscription never decides anything that
 * another process has changed.
 */

it("[sub.seek] [retention.passed] a seek ends a 410 at once, through every process", async () => {
  const { here, there, time, driver } = openServers();
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1)]);
    for (let hour = 0; hour < 3; hour++) {
      await driver.clock.sleep(HOUR_MS);
      await here.publish(...OF, [event("a", hour + 2)]);
      await here.sweep({ budgetMs: 20_000 });
    }
    const poll = () => there.poll(...OF, SUB, { limit: 10 });
    // The documentation shows the answer of a poll.
    const { detail } = PROBLEM_EXAMPLES["retention-passed"]?.value ?? {};
    await expect(poll()).rejects.toMatchObject({ code: "retention-passed", detail });
    await here.seek(...OF, SUB, { to: "earliest" });
    expect((await poll()).events.length).toBeGreaterThan(0);
  };
  await time.finish(story());
});

it("[retention.passed] a poll of a stream without compacted state names `earliest` alone", async () => {
  const { here, time, driver } = openServers();
  const story = async () => {
    await subscribe(here, {}, 1, "none");
    await here.publish(...OF, [event("a", 1)]);
    for (let hour = 0; hour < 3; hour++) {
      await driver.clock.sleep(HOUR_MS);
      await here.publish(...OF, [event("a", hour + 2)]);
      await here.sweep({ budgetMs: 20_000 });
    }
    await expect(here.poll(...OF, SUB, { limit: 10 })).rejects.toMatchObject({
      code: "retention-passed",
      detail: "The events at this position are no longer kept. Seek to `earliest`.",
    });
  };
  await time.finish(story());
});

it("[park.retry] waiting events are delivered as soon as another process has released their key", async () => {
  const { here, there, time, driver } = openServers();
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1), event("b", 2)]);
    await here.park(...OF, SUB, { sequence: 1, reason: "" });
    const page = await there.poll(...OF, SUB, { limit: 10 });
    expect(page.events.map(({ key }) => key)).toEqual(["b"]);
    await there.commit(...OF, SUB, page.cursor);
    expect((await there.poll(...OF, SUB, { limit: 10 })).caughtUp).toBe(true);
    await here.release(...OF, SUB, { key: "a", how: "retry" });
    // An idle process trusts what it remembers for five seconds ([poll.idle-cost]).
    await driver.clock.sleep(5_001);
    const freed = await there.poll(...OF, SUB, { limit: 10 });
    expect(freed.events.map(({ key }) => key)).toEqual(["a"]);
  };
  await time.finish(story());
});

it("[park.expired] a key waits for a skip when the log no longer reaches back to its event", async () => {
  const { here, time, driver } = openServers();
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1)]);
    await here.publish(...OF, [event("a", 2), event("b", 3)]);
    await here.park(...OF, SUB, { sequence: 1, reason: "" });
    const pass = async () => {
      const { events, cursor } = await here.poll(...OF, SUB, { limit: 10 });
      await here.commit(...OF, SUB, cursor);
      return events;
    };
    await pass();
    for (let hour = 0; hour < 3; hour++) {
      await driver.clock.sleep(HOUR_MS);
      await here.publish(...OF, [event("a", hour + 4)]);
      await pass();
      await here.sweep({ budgetMs: 20_000 });
    }
    const retry = here.release(...OF, SUB, { key: "a", how: "retry" });
    await expect(retry).rejects.toMatchObject({
      code: "retention-passed",
      detail:
        "The parked event is no longer kept, so it cannot be retried. Skip it to continue with the remaining events of its key.",
    });
    expect(await pass()).toEqual([]);
    await here.release(...OF, SUB, { key: "a", how: "skip" });
    const seen: string[] = [];
    for (let n = 0; n < 4; n++) seen.push(...(await pass()).map(({ data }) => data));
    expect(seen.at(-1)).toBe("6");
    expect(seen).not.toContain("1");
  };
  await time.finish(story());
});

it.each([undefined, "w"])(
  "[park.retry] a waiting poll delivers the events that it had passed over before (consumer %s)",
  async (consumer) => {
    const { here, time, driver } = openServers();
    const story = async () => {
      await subscribe(here);
      await here.publish(...OF, [event("a", 1)]);
      await here.park(...OF, SUB, { sequence: 1, reason: "" });
      // The poll waits after the withheld event, which is not committed.
      const polling = here.poll(...OF, SUB, { limit: 10, waitSeconds: 10, consumer });
      await driver.clock.sleep(2_000);
      await here.release(...OF, SUB, { key: "a", how: "retry" });
      expect((await polling).events.map(({ data }) => data)).toEqual(["1"]);
    };
    await time.finish(story());
  },
);

import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { expect, it } from "vitest";
import { event, HOUR_MS, OF, openServers, SUB, subscribe } from "./subscription/two-servers.ts";

/** These tests check how far back a difference reaches, and what a client learns about it. */

const DAY_MS = 24 * HOUR_MS;

type Servers = ReturnType<typeof openServers>;

/** Polls to the end, and commits each page. */
async function readOn({ here }: Servers) {
  const found: [string, unknown][] = [];
  for (;;) {
    const page = await here.poll(...OF, SUB, { limit: 10 });
    for (const { key, data } of page.events) found.push([key, JSON.parse(data)]);
    await here.commit(...OF, SUB, page.cursor);
    if (page.caughtUp && page.consistent) return found;
  }
}

/** Publishes every few days, and sweeps. All events but the last leave the log. */
async function pass({ here, driver }: Servers, days: number, step = 1): Promise<void> {
  for (let day = 0; day < days; day += step) {
    await driver.clock.sleep(step * DAY_MS);
    await here.sweep({ budgetMs: 20_000 });
    await here.publish(...OF, [event("clock", day)]);
    await here.sweep({ budgetMs: 20_000 });
  }
}

const lost = async ({ here }: Servers) => {
  try {
    await here.poll(...OF, SUB, { limit: 10 });
  } catch (error) {
    return error as { code: string; detail: string; facts: Record<string, string> };
  }
  throw new Error("the position is still kept");
};

it("[difference.reach] a position that the log has lost is offered the difference, with deletions", async () => {
  const servers = openServers();
  const { here, time } = servers;
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("gone", 1), event("kept", 1), event("brief", 1)]);
    await readOn(servers);
    await here.publish(...OF, [event("gone", 2), { ...event("gone", 3), data: "null" as never }]);
    await here.publish(...OF, [event("kept", 2)]);
    // The row of the deleted key goes after a week, and the log keeps events for an hour.
    await pass(servers, 40, 2);
    const { code, detail, facts } = await lost(servers);
    expect({ code, seek: facts.seek }).toEqual({ code: "retention-passed", seek: "bootstrap" });
    expect(detail).toContain("The states that changed since this position are known");
    await here.seek(...OF, SUB, { to: { since: facts.since ?? "" } });
    expect(await readOn(servers)).toEqual([
      ["gone", null],
      ["kept", 2],
      ["clock", 38],
    ]);
  };
  await time.finish(story());
});

it("[difference.reach] long after 90 days the difference is refused, and a poll says so", async () => {
  const servers = openServers();
  const { here, time } = servers;
  const story = async () => {
    await subscribe(here);
    const { cursor } = await here.publish(...OF, [event("a", 1)]);
    await here.publish(...OF, [event("b", 1)]);
    await pass(servers, 89, 10);
    const query = { limit: 10, since: cursor };
    expect((await here.listCompacted(...OF, query)).items.map(({ key }) => key)).toContain("b");
    await pass(servers, 120, 20);
    const refused = { code: "changes-passed", facts: { seek: "bootstrap" } };
    await expect(here.listCompacted(...OF, query)).rejects.toMatchObject(refused);
    await expect(here.seek(...OF, SUB, { to: { since: cursor } })).rejects.toMatchObject(refused);
    const start = { name: "late", start: { since: cursor } };
    await expect(here.createSubscription(...OF, start)).rejects.toMatchObject(refused);
    const { code, detail, facts } = await lost(servers);
    expect(code).toBe("retention-passed");
    expect(detail).toContain("What changed since this position is not known any more");
    expect(facts).not.toHaveProperty("since");
  };
  await time.finish(story());
});

it("[difference.reach] a list with a gap begins again after it", async () => {
  const servers = openServers();
  const { here, time, store, driver } = servers;
  const story = async () => {
    await subscribe(here);
    const { cursor } = await here.publish(...OF, [event("a", 1)]);
    await here.compact(...OF);
    await here.listCompacted(...OF, { limit: 10, since: cursor });
    await here.publish(...OF, [event("b", 1)]);
    await here.compact(...OF);
    // An earlier version, which keeps no list, has removed events that are not listed.
    const { send } = store.client(driver);
    for (const { pk, sk } of store.items(({ sk }) => /^SEQ#0*2$/.test(String(sk)))) {
      await send(new DeleteCommand({ TableName: "memory", Key: { pk, sk } }) as never);
    }
    const { cursor: later } = await here.publish(...OF, [event("c", 1)]);
    await here.compact(...OF);
    await driver.clock.sleep(1_000);
    const list = (since: string) => here.listCompacted(...OF, { limit: 10, since });
    await expect(list(cursor)).rejects.toMatchObject({ code: "changes-passed" });
    await here.publish(...OF, [event("d", 1)]);
    await here.compact(...OF);
    expect((await list(later)).items.map(({ key }) => key)).toEqual(["d"]);
  };
  await time.finish(story());
});

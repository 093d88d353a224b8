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

/** Lists everything that changed since a cursor. */
async function listSince({ here }: Servers, since: string) {
  const found: [string, unknown][] = [];
  let page = await here.listCompacted(...OF, { limit: 3, since });
  for (;;) {
    for (const { key, data } of page.items) found.push([key, JSON.parse(data)]);
    if (page.cursor === null) return found;
    page = await here.listCompacted(...OF, { limit: 3, cursor: page.cursor });
  }
}

/** Returns the compacted rows of a key. */
const rowsOf = ({ store }: Servers, key: string) =>
  store.items(({ pk, sk }) => /#COMPACT#/.test(String(pk)) && String(sk).includes(key));

const sorted = (found: readonly (readonly unknown[])[]) =>
  found.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));

const deletion = (key: string) => ({ ...event(key, 0), data: "null" as never });

it("[difference.exact] a key that was deleted before and after a change of partitions comes once", async () => {
  const servers = openServers();
  const { here, time, store } = servers;
  const story = async () => {
    await subscribe(here);
    const keys = ["twice", "before", "after", "kept"];
    const { cursor } = await here.publish(
      ...OF,
      keys.map((key) => event(key, 1)),
    );
    await readOn(servers);
    await here.publish(...OF, [deletion("twice"), deletion("before"), event("kept", 2)]);
    await here.compact(...OF);
    await here.patchStream(...OF, { partitions: 4 });
    await here.publish(...OF, [event("twice", 3), deletion("after")]);
    await here.publish(...OF, [deletion("twice")]);
    await here.compact(...OF);
    // The rows of deleted keys go after a week.
    await pass(servers, 40, 2);
    expect(rowsOf(servers, "twice")).toHaveLength(1);
    expect(store.expireItems({ lateMs: 0 })).toBeGreaterThan(0);
    expect(rowsOf(servers, "twice")).toEqual([]);
    const { facts } = await lost(servers);
    const since = facts.since ?? "";
    const changed = [
      ["after", null],
      ["before", null],
      ["clock", 38],
      ["kept", 2],
      ["twice", null],
    ];
    expect(sorted(await listSince(servers, cursor))).toEqual(changed);
    await here.seek(...OF, SUB, { to: { since } });
    expect(sorted(await readOn(servers))).toEqual(changed);
  };
  await time.finish(story());
});

/** Puts a copy of the table into use, and publishes there. */
async function restore(copy: Parameters<Servers["store"]["load"]>[0], nowMs: number) {
  const opened = openServers();
  opened.store.load(copy);
  const servers = { ...opened, here: opened.there };
  const goOn = async () => {
    const { clock } = servers.driver;
    await clock.sleep(Math.max(0, nowMs - clock.now()));
    while (!(await servers.here.completeRestore("again", { budgetMs: 20_000 })).done);
    await servers.here.publish(...OF, [event("c", 4)]);
    await servers.here.compact(...OF);
  };
  return { servers, goOn };
}

it("[difference.exact] a difference is exact after a restore, whose numbers have a gap", async () => {
  const servers = openServers();
  const { here, time, store, driver } = servers;
  const story = async () => {
    await subscribe(here);
    const { cursor: first } = await here.publish(...OF, [event("a", 1), event("b", 1)]);
    await here.compact(...OF);
    await here.publish(...OF, [event("a", 2), deletion("b")]);
    await here.patchStream(...OF, { partitions: 4 });
    await here.publish(...OF, [event("a", 3)]);
    await here.compact(...OF);
    const { follow: last } = await here.listCompacted(...OF, { limit: 10, since: first });
    const { cursor: polled } = await here.poll(...OF, SUB, { limit: 1 });
    const copy = store.items();
    const { cursor: gone } = await here.publish(...OF, [event("a", 9), event("lost", 1)]);
    await here.compact(...OF);
    expect(await listSince(servers, first)).toContainEqual(["lost", 1]);
    return { copy, first, last, polled, gone, nowMs: driver.clock.now() };
  };
  const { copy, first, last, polled, gone, nowMs } = await time.finish(story());
  const restored = await restore(copy, nowMs);
  const after = async () => {
    await restored.goOn();
    const changed = [
      ["b", null],
      ["a", 3],
      ["c", 4],
    ];
    expect(sorted(await listSince(restored.servers, first))).toEqual(sorted(changed));
    expect(await listSince(restored.servers, last)).toEqual([["c", 4]]);
    const refused = { code: "invalid-cursor", facts: { reason: "restored" } };
    await expect(listSince(restored.servers, gone)).rejects.toMatchObject(refused);
    await restored.servers.here.seek(...OF, SUB, { to: { since: polled } });
    expect(sorted(await readOn(restored.servers))).toEqual(sorted(changed));
  };
  await restored.servers.time.finish(after());
});

it("[difference.reach] a restore forgets the list, so what the log has lost is refused", async () => {
  const servers = openServers();
  const { here, time, store, driver } = servers;
  const story = async () => {
    await subscribe(here);
    const { cursor: first } = await here.publish(...OF, [event("a", 1), event("b", 1)]);
    await here.publish(...OF, [deletion("b")]);
    await pass(servers, 40, 2);
    store.expireItems({ lateMs: 0 });
    expect(await listSince(servers, first)).toContainEqual(["b", null]);
    const { follow: last } = await here.listCompacted(...OF, { limit: 10 });
    return { copy: store.items(), first, last, nowMs: driver.clock.now() };
  };
  const { copy, first, last, nowMs } = await time.finish(story());
  const restored = await restore(copy, nowMs);
  const after = async () => {
    await restored.goOn();
    const { here: there } = restored.servers;
    const refused = { code: "changes-passed", facts: { seek: "bootstrap" } };
    await expect(listSince(restored.servers, first)).rejects.toMatchObject(refused);
    const to = { since: first };
    await expect(there.seek(...OF, SUB, { to })).rejects.toMatchObject(refused);
    expect((await lost(restored.servers)).facts).not.toHaveProperty("since");
    expect(await listSince(restored.servers, last)).toEqual([["c", 4]]);
  };
  await restored.servers.time.finish(after());
});

it("[difference.exact] a cursor of a publish gets what changed in all partitions, although the log has lost it", async () => {
  const servers = openServers();
  const { here, time, driver } = servers;
  const story = async () => {
    await subscribe(here, {}, 4);
    const keys = ["a", "b", "c", "d", "e", "f"];
    await here.publish(
      ...OF,
      [...keys, "gone"].map((key) => event(key, 1)),
    );
    await here.compact(...OF);
    await driver.clock.sleep(HOUR_MS);
    // The cursor has a position in one partition, and for the others a time.
    const { cursor } = await here.publish(...OF, [event("a", 2)]);
    await driver.clock.sleep(HOUR_MS);
    await here.publish(...OF, [...keys.map((key) => event(key, 3)), deletion("gone")]);
    await pass(servers, 40, 2);
    const changed = [...keys.map((key) => [key, 3]), ["clock", 38], ["gone", null]];
    expect(sorted(await listSince(servers, cursor))).toEqual(sorted(changed));
    await here.seek(...OF, SUB, { to: { since: cursor } });
    expect(sorted(await readOn(servers))).toEqual(sorted(changed));
  };
  await time.finish(story());
});

import { expect, it } from "vitest";
import type { Ledger } from "../../../packages/core/src/index.ts";
import { event, OF, openServers, SUB, subscribe } from "./subscription/two-servers.ts";

/** These tests move a subscription while another process answers a commit. */

/** Matches a read of a subscription's positions. */
const POSITIONS = /^QueryCommand .*#SUB#/;

const poll = (ledger: Ledger, more: object = {}) =>
  ledger.poll(...OF, SUB, { limit: 100, ...more });
const commit = (ledger: Ledger, cursor: string) => ledger.commit(...OF, SUB, cursor);
const dataOf = ({ events }: { events: readonly { data: unknown }[] }) =>
  events.map(({ data }) => Number(data)).toSorted();

type Servers = ReturnType<typeof openServers>;

/** Reads a snapshot of four keys through one process, and returns the cursors of its pages. */
async function readSnapshot({ here }: Servers): Promise<string[]> {
  await subscribe(here, { start: "bootstrap" });
  await here.publish(...OF, [event("a", 1), event("b", 2), event("c", 3), event("d", 4)]);
  await here.sweep({ budgetMs: 20_000 });
  const cursors: string[] = [];
  for (let ended = false; !ended; ) {
    const page = await poll(here, { limit: 1, after: cursors.at(-1) });
    cursors.push(page.cursor);
    ended = page.snapshotEnd;
  }
  return cursors;
}

/**
 * Commits through one process, while another one moves the subscription after the first has read
 * it.
 */
async function commitDuring({ here, holdAnswer, driver }: Servers, cursor: string, move: Move) {
  const letGo = holdAnswer(POSITIONS);
  const slow = commit(here, cursor).catch((error: unknown) => error);
  await driver.clock.sleep(100);
  await move();
  letGo();
  return slow;
}

type Move = () => Promise<unknown>;

it("[sub.seek] a seek prevails over the end of a snapshot that is committed meanwhile", async () => {
  const servers = openServers();
  const story = async () => {
    const { here, there } = servers;
    const end = (await readSnapshot(servers)).at(-1) ?? "";
    const seek = () => there.seek(...OF, SUB, { to: "earliest" });
    expect(await commitDuring(servers, end, seek)).toMatchObject({
      code: "invalid-cursor",
      facts: { reason: "seeked" },
    });
    for (const ledger of [here, there]) expect(dataOf(await poll(ledger))).toEqual([1, 2, 3, 4]);
  };
  await servers.time.finish(story());
});

it("[sub.commit-monotone] the end of a snapshot is committed after a page of it, also when both race", async () => {
  const servers = openServers();
  const story = async () => {
    const { here, there } = servers;
    const cursors = await readSnapshot(servers);
    const first = () => commit(there, cursors[0] ?? "");
    const late = await commitDuring(servers, cursors.at(-1) ?? "", first);
    expect(late).toMatchObject({ stale: false, redelivers: "nothing" });
    for (const ledger of [here, there]) {
      expect(await poll(ledger)).toMatchObject({ phase: "log", events: [], consistent: true });
    }
  };
  await servers.time.finish(story());
});

it("[sub.seek] a process that remembers the position refuses an old cursor after a seek elsewhere", async () => {
  const servers = openServers();
  const story = async () => {
    const { here, there } = servers;
    await subscribe(here);
    await here.publish(...OF, [event("a", 1), event("b", 2)]);
    const { cursor } = await poll(here);
    expect(await commit(here, cursor)).toMatchObject({ stale: false });
    await there.seek(...OF, SUB, { to: "earliest" });
    await expect(commit(here, cursor)).rejects.toMatchObject({
      code: "invalid-cursor",
      facts: { reason: "seeked" },
    });
  };
  await servers.time.finish(story());
});

it("[sub.redelivery] a process that remembers the beginning of a snapshot goes on where another has committed", async () => {
  const servers = openServers();
  const story = async () => {
    const { here, there } = servers;
    const [first = ""] = await readSnapshot(servers);
    const all = dataOf(await poll(here));
    expect(all).toHaveLength(4);
    await commit(there, first);
    expect(dataOf(await poll(here))).toHaveLength(3);
  };
  await servers.time.finish(story());
});

it("[lease.fencing] a worker that gets a snapshot back reads it from what is committed", async () => {
  const servers = openServers();
  const story = async () => {
    const { here, there, driver } = servers;
    await readSnapshot(servers);
    const work = (ledger: Ledger, consumer: string, more: object = {}) =>
      poll(ledger, { consumer, limit: 1, ...more });
    const first = await work(here, "a");
    await driver.clock.sleep(40_000);
    expect(dataOf(await work(there, "b"))).toEqual(dataOf(first));
    await there.leave(...OF, SUB, "b");
    const again = await work(here, "a", { after: first.cursor });
    expect(dataOf(again)).toEqual(dataOf(first));
  };
  await servers.time.finish(story());
});

it("[sub.seek] a seek whose try was lost does not take the seek of another process for its own", async () => {
  const servers = openServers();
  const story = async () => {
    const { here, there, store } = servers;
    await subscribe(here);
    await here.publish(...OF, [event("a", 1), event("b", 2)]);
    const { cursor } = await poll(here);
    await commit(here, cursor);
    let lost = 1;
    store.setFaults((operation) => ({
      "error-before": operation === "transactWrite" && lost-- > 0 ? 1 : 0,
    }));
    const seeking = here.seek(...OF, SUB, { to: "earliest" });
    await there.seek(...OF, SUB, { to: "latest" });
    await seeking;
    // Its own seek came last, so the subscription is at the place of that seek.
    expect(dataOf(await poll(here))).toEqual([1, 2]);
  };
  await servers.time.finish(story());
});

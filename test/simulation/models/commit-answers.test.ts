import { expect, it } from "vitest";
import type { Ledger } from "../../../packages/core/src/index.ts";
import type { OperationName } from "../dynamodb/operation.ts";
import { event, OF, openServers, SUB, subscribe } from "./subscription/two-servers.ts";

/**
 * In these tests, the store executes the write of a commit but its answer is lost, so core sends it
 * again.
 */

type Servers = ReturnType<typeof openServers>;
type Place = "the first page of a snapshot" | "a later page of a snapshot" | "its end";

const KEYS = ["a", "b", "c", "d"];
const poll = (ledger: Ledger, more: object = {}) =>
  ledger.poll(...OF, SUB, { limit: 100, ...more });
const keysOf = ({ events }: { events: readonly { key: string }[] }) =>
  events.map(({ key }) => key).toSorted();

/**
 * Loses the answer to the first request of a kind. Returns a function that returns how many were
 * sent.
 */
function loseAnswer({ store }: Servers, of: OperationName): () => number {
  let sent = 0;
  store.setFaults((operation) => (operation === of && sent++ === 0 ? { "error-after": 1 } : {}));
  return () => sent;
}

/** Reads a snapshot of four keys, one per page. Returns its pages. */
async function readSnapshot(ledger: Ledger, consumer: string | undefined) {
  const pages = [await poll(ledger, { limit: 1, consumer })];
  while (pages.at(-1)?.snapshotEnd === false) {
    pages.push(await poll(ledger, { limit: 1, consumer, after: pages.at(-1)?.cursor }));
  }
  return pages;
}

/**
 * Returns the page whose commit is tested. If it needs the commit of an earlier page, that is made
 * first.
 */
async function reach(
  ledger: Ledger,
  place: Place,
  pages: Awaited<ReturnType<typeof readSnapshot>>,
) {
  const [first, second] = pages;
  if (place === "the first page of a snapshot") return first;
  if (place === "its end") return pages.at(-1);
  await ledger.commit(...OF, SUB, first?.cursor ?? "");
  return second;
}

const WRITES: Readonly<Record<Place, OperationName>> = {
  "the first page of a snapshot": "update",
  "a later page of a snapshot": "update",
  "its end": "transactWrite",
};
const places = Object.keys(WRITES) as Place[];
const cases = places.flatMap((place) =>
  [1, 4].flatMap((partitions) =>
    [undefined, "a"].map((consumer) => ({ place, partitions, consumer })),
  ),
);

it.each(cases)(
  "[sub.commit-monotone] the commit of $place is not stale when its answer was lost ($partitions, worker $consumer)",
  async ({ place, partitions, consumer }) => {
    const servers = openServers();
    const story = async () => {
      const { here, store } = servers;
      await subscribe(here, { start: "bootstrap" }, partitions);
      await here.publish(
        ...OF,
        KEYS.map((key, n) => event(key, n)),
      );
      await here.sweep({ budgetMs: 20_000 });
      const pages = await readSnapshot(here, consumer);
      const { cursor } = (await reach(here, place, pages)) ?? { cursor: "" };
      await here.publish(...OF, [event("e", 4)]);
      const sent = loseAnswer(servers, WRITES[place]);
      const receipt = await here.commit(...OF, SUB, cursor);
      expect(sent()).toBe(2);
      store.setFaults();
      expect(receipt).toMatchObject({ stale: false, redelivers: "nothing" });
      const repeated = await here.commit(...OF, SUB, cursor);
      expect(repeated).toMatchObject({ stale: true, redelivers: "nothing" });
      await expectTheRest(servers, pages, { cursor, consumer });
    };
    await servers.time.finish(story());
  },
);

/** Through the other process, everything after a committed page follows, and nothing before it. */
async function expectTheRest(
  { there, driver }: Servers,
  pages: Awaited<ReturnType<typeof readSnapshot>>,
  { cursor, consumer }: { cursor: string; consumer: string | undefined },
) {
  await driver.clock.sleep(10_000);
  const committed = pages.findIndex((page) => page.cursor === cursor);
  const left = pages.slice(committed + 1).flatMap(keysOf);
  const seen: string[] = [];
  for (let isEnd = false; !isEnd; ) {
    const page = await poll(there, { consumer });
    seen.push(...keysOf(page));
    await there.commit(...OF, SUB, page.cursor);
    isEnd = page.caughtUp;
  }
  expect(seen.toSorted()).toEqual([...left, "e"].toSorted());
}

it("[sub.commit-monotone] the end of a snapshot says when another worker moved there meanwhile", async () => {
  const servers = openServers();
  const story = async () => {
    const { here, there, store } = servers;
    await subscribe(here, { start: "bootstrap" });
    await here.publish(
      ...OF,
      KEYS.map((key, n) => event(key, n)),
    );
    await here.sweep({ budgetMs: 20_000 });
    const { cursor } = (await readSnapshot(here, undefined)).at(-1) ?? { cursor: "" };
    await here.publish(...OF, [event("e", 4)]);
    let sent = 0;
    let moved: Promise<unknown> = Promise.resolve();
    store.setFaults((operation) => {
      if (operation !== "transactWrite" || sent++ > 0) return {};
      moved = (async () => {
        await there.commit(...OF, SUB, cursor);
        await there.commit(...OF, SUB, (await poll(there)).cursor);
      })();
      return { "timeout-before": 1 };
    });
    const receipt = await here.commit(...OF, SUB, cursor);
    await moved;
    expect(receipt).toMatchObject({ stale: true, redelivers: "nothing" });
    expect(await poll(here)).toMatchObject({ events: [], caughtUp: true, consistent: true });
  };
  await servers.time.finish(story());
});

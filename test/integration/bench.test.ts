import { expect, it } from "vitest";
import { countAll } from "../../bench/parts/counted.ts";
import { measureDelivery } from "../../bench/parts/deliver.ts";
import { judgePeers, measurePeers, type PeerFigures } from "../../bench/parts/peers.ts";
import { measurePublishing } from "../../bench/parts/publish.ts";
import { PEERS } from "../../bench/peers/peers.ts";

/** The parts of `npm run bench` in small sizes. The guards are on counts, not on time. */

it("operations cost the same at each length of the log, and a publish is one put", async () => {
  const { growth, bootstraps, contention } = await countAll(
    {
      growth: [2_000, 6_000],
      bootstraps: [
        { keys: 500, eventsPerKey: 1 },
        { keys: 500, eventsPerKey: 8 },
      ],
      writers: [1],
      arrivals: [50],
      seconds: 1,
    },
    () => {},
  );
  const [{ events: _, ...short } = { events: 0 }, { events: __, ...long } = { events: 0 }] = growth;
  expect(long).toEqual(short);
  expect(long).toMatchObject({
    publish: { requests: 1, read: 0, write: 1 },
    publishHundred: { requests: 1, read: 0 },
    idlePoll: { requests: 1, read: 1, write: 0 },
    commit: { write: 1 },
  });
  const [once, often] = bootstraps;
  expect(often?.readUnits).toBeLessThanOrEqual((once?.readUnits ?? 0) * 1.1);
  expect(contention).toMatchObject([{ putsPerAppend: 1 }, {}]);
  expect(contention[1]?.putsPerAppend).toBeLessThanOrEqual(2);
});

it("the local stack puts at most one batch for each request, and delivers each event", async () => {
  const cases = await measurePublishing(
    { places: ["disk"], batches: [10], producers: [4], until: { requests: 12 }, warmUpMs: 0 },
    () => {},
  );
  expect(cases).toHaveLength(2);
  for (const { putsPerRequest, latencyMs } of cases) {
    expect(putsPerRequest).toBeGreaterThan(0);
    expect(putsPerRequest).toBeLessThanOrEqual(1);
    expect(latencyMs.p50).toBeGreaterThan(0);
  }
  const { pages, fanOut } = await measureDelivery(
    { events: 200, pages: [100], singles: 2, pauseMs: 1, subscribers: [2] },
    () => {},
  );
  expect(pages).toMatchObject([{ limit: 100 }]);
  expect(fanOut).toMatchObject([{ subscribers: 2, deliveries: 6, missing: 0 }]);
});

it("the simple designs store what they answer, and a peer that cannot be had is left out", async () => {
  const absent = {
    ...(PEERS[0] as (typeof PEERS)[number]),
    name: "absent",
    obtain: () => Promise.reject(new Error("go is not installed")),
  };
  const said: string[] = [];
  const { measured, missing } = await measurePeers(
    {
      peers: [...PEERS.slice(1, 3), absent],
      rounds: 1,
      until: { requests: 3 },
      warmUpMs: 0,
    },
    (line) => said.push(line),
  );
  expect(measured.map(({ rounds }) => rounds.length)).toEqual([1, 1]);
  for (const { rounds } of measured) {
    expect(rounds[0]?.batches.latencyMs.p50).toBeGreaterThan(0);
  }
  expect(missing).toEqual([{ name: "absent", why: "go is not installed" }]);
  expect(said.at(-1)).toBe("absent is left out: go is not installed");
});

it("a goal that is not reached is said", () => {
  const rates = (eventsPerSecond: number) => ({
    eventsPerSecond,
    latencyMs: { p50: 1, p99: 1, max: 1 },
  });
  const peer = (name: string, isSynced: boolean, many: number, batches: number): PeerFigures => ({
    name,
    durability: "",
    isSynced,
    rounds: [{ many: rates(many), one: rates(1), batches: rates(batches) }],
  });
  const [own, counter] = PEERS.map(({ name }) => name);
  const verdicts = judgePeers([
    peer(own ?? "", true, 100, 1_000),
    peer(counter ?? "", true, 10, 100),
    peer("NATS", true, 201, 1_001),
    peer("not synced", false, 9_999, 9_999),
  ]);
  expect(verdicts.map(({ holds }) => holds)).toEqual([true, false, false]);
});

import { createHash } from "node:crypto";
import { afterAll, expect, it } from "vitest";
import { partitionOf } from "../../packages/core/src/model/partition.ts";
import type { OpenLedger } from "../../packages/functions/src/open-ledger.ts";
import { count, none, type Said, saveRecord } from "../proof/record.ts";
import { whereWeAre } from "../proof/where.ts";
import { openPushTarget } from "./push-target.ts";

/**
 * Kills and pauses two pushers of one subscription again and again, while the receiver fails one in
 * ten deliveries and every delivery of one key. A second run without that key, in which the same
 * deliveries fail, shows whether the key made the others later. EVENTS and KEYS set the numbers.
 * PUSH_RESULTS is the file for the record of a run.
 */
const EVENTS = Number(process.env.EVENTS ?? 400);
const KEYS = Number(process.env.KEYS ?? 40);
const { PUSH_RESULTS } = process.env;
/** A long run has longer pauses between kills. */
const DELIVERIES = Math.max(30, EVENTS / 50);
const BATCH = 500;
const SECOND_MS = 1_000;
/** A round lasts longer than the first delay of a failed key. */
const ROUND_MS = 30 * SECOND_MS;
/** Longer than the lease of a pusher. */
const PAUSE_MS = 5 * SECOND_MS;
const LIMITS = { budgetMs: 60_000 };
const BAD = "k0";
const PARTITIONS = 4;

let aheadMs = 0;
/** The time by the clock of the pushers. */
const serverMs = () => Date.now() + aheadMs;
const target = await openPushTarget(() => aheadMs);
afterAll(target.close);

/** Whether the receiver refuses this attempt of an event: one in ten, the same ones in each run. */
const isRefused = (key: string, n: number, attempt: number): boolean =>
  createHash("sha1").update(`${key} ${n} ${attempt}`).digest().readUInt32BE() < 2 ** 32 / 10;

/** Returns a generator of numbers from 0 to 1 that is the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** What a receiver accepted of a key: the numbers of its events, each once, and when it did. */
type Accepted = Map<string, { readonly numbers: number[]; readonly secondsLater: number[] }>;

type Played = {
  readonly stream: string;
  readonly accepted: Accepted;
  readonly deliveries: number;
  readonly kills: number;
  readonly pauses: number;
};

/**
 * Publishes all events, and pushes until the receiver has those of every key that can succeed. With
 * `isBad` one key always fails.
 */
async function play(isBad: boolean): Promise<Played> {
  const { api, answer, url } = target;
  const stream = await api.newStream({ partitions: PARTITIONS });
  await api.createSubscription(stream, { name: "hook", start: "earliest", leaseSeconds: 1 });
  await target.sendTo(stream, "", "PUT", { url });
  for (let from = 0; from < EVENTS; from += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, EVENTS - from) }, (_, n) => ({
      key: `k${(from + n) % KEYS}`,
      data: { n: Math.floor((from + n) / KEYS) },
    }));
    await api.publish(stream, events);
  }

  const chance = numbers(7);
  const accepted: Accepted = new Map();
  const beganMs = serverMs();
  let deliveries = 0;
  let isHeld = false;
  let left = (isBad ? KEYS - 1 : KEYS) * (EVENTS / KEYS);
  const attempts = new Map<string, number>();
  answer(({ body: { key, data } }) => {
    deliveries++;
    const { n } = data as { n: number };
    const attempt = (attempts.get(`${key} ${n}`) ?? 0) + 1;
    if (isBad && key === BAD) return 500;
    if (!isHeld) attempts.set(`${key} ${n}`, attempt);
    if (!isHeld && isRefused(key, n, attempt)) return 500;
    const known = accepted.get(key) ?? { numbers: [], secondsLater: [] };
    accepted.set(key, known);
    if (!known.numbers.includes(n)) {
      left--;
      known.numbers.push(n);
      known.secondsLater.push((serverMs() - beganMs) / SECOND_MS);
    }
    return isHeld ? "nothing" : 204;
  });

  const id = (await target.opened.ledger.listPushes()).find(({ life }) =>
    life.startsWith(`${stream}#`),
  );
  if (id === undefined) throw new Error("There is no push.");
  const start = () => {
    const pushers = [target.other(), target.other()];
    const push = ({ ledger }: OpenLedger) => ledger.runPush(id, LIMITS).catch(() => {});
    return { pushers, runs: Promise.all(pushers.map(push)) };
  };
  /** Waits for some deliveries, for the end of the runs, or until nothing is left. */
  const watch = async (runs: Promise<unknown>, most: number): Promise<void> => {
    const before = deliveries;
    while (deliveries < before + most && left > 0) {
      const tick = new Promise((resolve) => setTimeout(resolve, 5, "tick"));
      if ((await Promise.race([runs, tick])) !== "tick") return;
    }
  };
  let kills = 0;
  let pauses = 0;
  while (left > 0) {
    const { pushers, runs } = start();
    await watch(runs, DELIVERIES * (1 + 2 * chance()));
    if ((kills + pauses) % 3 === 2) {
      // The endpoint keeps both pushers waiting, until others have taken their place.
      isHeld = true;
      await watch(runs, 2);
      aheadMs += PAUSE_MS;
      isHeld = false;
      const others = start();
      await watch(others.runs, DELIVERIES);
      target.release();
      await Promise.all([runs, others.runs]);
      for (const each of others.pushers) each.close();
      pauses++;
    } else {
      // The client of one pusher is destroyed in the middle of its work. The other one goes on for
      // a while, and is killed as well, so that rounds have about as many deliveries in each run.
      const [first, second] = kills % 4 === 0 ? pushers : pushers.toReversed();
      first?.close();
      await watch(runs, DELIVERIES);
      second?.close();
      kills += 2;
      await runs;
    }
    for (const each of pushers) each.close();
    aheadMs += ROUND_MS;
  }
  await target.end(stream);
  return { stream, accepted, deliveries, kills, pauses };
}

/** The keys whose events arrived in another order, or not all of them. */
const violationsOf = ({ accepted }: Played, keys: number): string[] => [
  ...[...accepted]
    .filter(([, of]) => of.numbers.some((n, at) => n !== at) || of.numbers.length < EVENTS / KEYS)
    .map(([key]) => key),
  ...(accepted.size === keys ? [] : [`${keys - accepted.size} keys have nothing`]),
];

/**
 * Returns how long after the beginning events arrived, at p95 and in seconds: those of the keys in
 * the partition of the bad key, and those of all other partitions, whose pushers never meet it.
 */
function p95Of({ accepted }: Played): { beside: number; elsewhere: number } {
  const isBeside = (key: string) => partitionOf(key, PARTITIONS) === partitionOf(BAD, PARTITIONS);
  const of = (wanted: boolean) => {
    const all = [...accepted].flatMap(([key, { secondsLater }]) =>
      isBeside(key) === wanted ? secondsLater : [],
    );
    return Math.round(all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.95)] ?? 0);
  };
  return { beside: of(true), elsewhere: of(false) };
}

/** The most that the bad key may add to the time at which the others have 95 % of their events. */
const LATER = 1.25;
/** Kills hit the two runs at different moments, so that one may need a few rounds more. */
const ROUNDS_MORE = 3;

it("[push.order] [push.fenced] killed and paused pushers lose nothing, keep the order of each key, and a key that always fails makes no other later", {
  timeout: 3_600_000,
}, async () => {
  const began = new Date().toISOString();
  const usual = await play(false);
  const played = await play(true);
  const { deliveries, kills, pauses } = played;
  const violations = [...violationsOf(usual, KEYS), ...violationsOf(played, KEYS - 1)];
  const figures = { events: EVENTS, keys: KEYS, deliveries, kills, pauses };
  const p95Seconds = { without: p95Of(usual), with: p95Of(played) };
  console.log(`push: ${JSON.stringify({ ...figures, p95Seconds })}`);
  if (PUSH_RESULTS !== undefined) {
    const record = { began, ...figures, p95Seconds, violations };
    saveRecord(PUSH_RESULTS, say(record), record, whereWeAre());
  }
  expect(violations).toEqual([]);
  expect(played.accepted.has(BAD)).toBe(false);
  const parked = await target.api.send({
    path: `/streams/${played.stream}/subscriptions/hook/parked`,
  });
  expect(JSON.stringify(parked.body)).toContain(`"${BAD}"`);
  expect(Math.min(kills, pauses)).toBeGreaterThan(0);
  for (const where of ["beside", "elsewhere"] as const) {
    const most = p95Seconds.without[where] * LATER + (ROUNDS_MORE * ROUND_MS) / SECOND_MS;
    expect(p95Seconds.with[where], where).toBeLessThanOrEqual(most);
  }
});

type Recorded = Pick<Played, "deliveries" | "kills" | "pauses"> & {
  readonly p95Seconds: Readonly<Record<"with" | "without", ReturnType<typeof p95Of>>>;
  readonly violations: readonly string[];
};

function say({ deliveries, kills, pauses, violations, p95Seconds }: Recorded): Said {
  const ran = [
    `${count(EVENTS, "event")} of ${count(KEYS, "key")}`,
    count(deliveries, "delivery", "deliveries"),
    "one in ten refused, and all of one key",
    count(kills, "kill"),
    count(pauses, "pause"),
  ];
  const { with: present, without } = p95Seconds;
  const found = `${none(violations.length, "violation")}; at p95 an event of the other keys arrived after ${present.beside} s, by the clock of the pushers, in the partition of the key that always fails (${without.beside} s in a run without that key), and after ${present.elsewhere} s in other partitions (${without.elsewhere} s)`;
  return { part: "Pushers", ran: ran.join(", "), found };
}

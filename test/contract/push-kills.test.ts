import { afterAll, expect, it } from "vitest";
import type { OpenLedger } from "../../packages/functions/src/open-ledger.ts";
import { openPushTarget } from "./push-target.ts";

/**
 * Kills two pushers of one subscription again and again, while the receiver fails one in ten
 * deliveries and every delivery of one key. EVENTS and KEYS set the numbers.
 */
const EVENTS = Number(process.env.EVENTS ?? 400);
const KEYS = Number(process.env.KEYS ?? 40);
/** A long run has longer pauses between kills. */
const DELIVERIES = Math.max(30, EVENTS / 100);
const BATCH = 500;
const SECOND_MS = 1_000;

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
afterAll(target.close);

/** Returns a generator of numbers from 0 to 1 that is the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

it("[push.order] [push.fenced] killed pushers lose nothing and keep the order of each key", {
  timeout: 3_600_000,
}, async () => {
  const { api, answer, url } = target;
  const stream = await api.newStream({ partitions: 4 });
  await api.createSubscription(stream, { name: "hook", start: "earliest", leaseSeconds: 1 });
  await api.send({
    method: "PUT",
    path: `/streams/${stream}/subscriptions/hook/push`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ url }),
  });
  for (let from = 0; from < EVENTS; from += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, EVENTS - from) }, (_, n) => ({
      key: `k${(from + n) % KEYS}`,
      data: { n: Math.floor((from + n) / KEYS) },
    }));
    await api.publish(stream, events);
  }

  const chance = numbers(7);
  const accepted = new Map<string, number[]>();
  let deliveries = 0;
  answer(({ body: { key, data } }) => {
    deliveries++;
    if (key === "k0" || chance() < 0.1) return 500;
    const { n } = data as { n: number };
    const known = accepted.get(key) ?? [];
    accepted.set(key, known);
    if (!known.includes(n)) known.push(n);
    return 204;
  });

  const [id] = await target.opened.ledger.listPushes();
  if (id === undefined) throw new Error("There is no push.");
  const missing = () =>
    KEYS - 1 - [...accepted.values()].filter(({ length }) => length === EVENTS / KEYS).length;
  const push = ({ ledger }: OpenLedger) => ledger.runPush(id, { budgetMs: 2_000 }).catch(() => {});
  let kills = 0;
  while (missing() > 0) {
    const pushers = [target.other(), target.other()];
    const runs = pushers.map(push);
    // The client of one pusher is destroyed in the middle of its work.
    const before = deliveries;
    while (deliveries < before + DELIVERIES * (1 + 2 * chance()) && missing() > 0) {
      const tick = new Promise((resolve) => setTimeout(resolve, 5, "tick"));
      if ((await Promise.race([Promise.all(runs), tick])) !== "tick") break;
    }
    pushers[kills++ % 2]?.close();
    await Promise.all(runs);
    for (const each of pushers) each.close();
    aheadMs += 30 * SECOND_MS;
  }

  console.log(`push: ${EVENTS} events, ${deliveries} deliveries, ${kills} kills`);
  for (const [key, known] of accepted) {
    expect(known, key).toEqual(known.toSorted((a, b) => a - b));
    expect(known, key).toHaveLength(EVENTS / KEYS);
  }
  expect(accepted.has("k0")).toBe(false);
  const parked = await api.send({ path: `/streams/${stream}/subscriptions/hook/parked` });
  expect(JSON.stringify(parked.body)).toContain('"k0"');
});

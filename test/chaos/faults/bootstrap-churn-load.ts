import { loadWebhooks } from "../../../examples/webhooks/webhooks.ts";
import { type SeededRandom, seededRandom } from "../../simulation/dynamodb/seeded-random.ts";

/** An event to publish. `data: null` deletes the key. */
export type ChurnEvent = { readonly key: string; readonly data: unknown };

export const PUBLISHERS = 4;
const KEYS = 2_000;
const DELETE_CHANCE = 0.1;
const BATCH_EVENTS_MAX = 60;

/**
 * Returns the requests of one publisher, in order. They mix its share of the real webhook payloads
 * with `updates` synthetic events to keys that all publishers write.
 */
export function makeBatches(publisher: number, updates: number, seed: string): ChurnEvent[][] {
  const random = seededRandom(`${seed} publisher ${publisher}`);
  const isOwn = (_: unknown, index: number) => index % PUBLISHERS === publisher;
  const webhooks = loadWebhooks()
    .filter(isOwn)
    .map(({ key, data }): ChurnEvent => ({ key, data }));
  const synthetic = Array.from({ length: updates }, (_, n) => n)
    .filter(isOwn)
    .map((n) => makeUpdate(random, n));
  const events = random.shuffle([...webhooks, ...synthetic]);
  const batches: ChurnEvent[][] = [];
  while (events.length > 0) batches.push(events.splice(0, random.between(1, BATCH_EVENTS_MAX)));
  return batches;
}

function makeUpdate(random: SeededRandom, n: number): ChurnEvent {
  const key = `key-${random.between(0, KEYS - 1)}`;
  if (random.chance(DELETE_CHANCE)) return { key, data: null };
  return { key, data: { n, text: "x".repeat(random.between(0, 200)) } };
}

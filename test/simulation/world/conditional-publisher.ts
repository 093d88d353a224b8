import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { EventRef } from "../checker/history.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { incoming } from "./clients.ts";
import { STREAM } from "./plan.ts";
import type { ClientWorld } from "./world.ts";

/** How often a request with an idempotency key is sent at most. */
const TRIES_MAX = 6;

/**
 * Publishes conditionally. Its expectations follow from the last answers to its own writes and from
 * mismatches. Sometimes they are wrong on purpose.
 */
export async function runConditionalPublisher(world: ClientWorld, name: string): Promise<void> {
  const { plan } = world;
  const random = world.random.fork(`${name} ${world.time.nowMs()}`);
  const known = new Map<string, number>();
  for (let request = 0; request < 2 * plan.requests; request++) {
    await world.sleep(random.fraction() * random.pick(plan.publishPaceMs));
    const events = drawEvents(world, random, known);
    const idempotencyKey = random.chance(plan.keyed) ? `expected ${events[0]?.n}` : undefined;
    const send = () => publish(world, name, random, events, known, idempotencyKey);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const twice = idempotencyKey !== undefined && random.chance(0.2);
      const settled = await Promise.all(twice ? [send(), send()] : [send()]);
      if (idempotencyKey === undefined || settled.some(Boolean) || world.isOver()) break;
      await world.sleep(random.fraction() * 400);
    }
    if (idempotencyKey !== undefined && random.chance(0.3)) await send();
  }
}

/** Draws some events of some keys, most of them with an expectation. */
function drawEvents(
  { plan, nextEvent }: ClientWorld,
  random: SeededRandom,
  known: ReadonlyMap<string, number>,
): EventRef[] {
  const seen = new Set<string>();
  return Array.from({ length: random.between(1, plan.burst) }, () => {
    const key = `key-${random.between(1, plan.keys)}`;
    const dead = random.chance(plan.tombstones) ? { dead: true as const } : {};
    const sequence = known.get(key) ?? 0;
    const wrong = [0, Math.max(0, sequence - 1), sequence + 1];
    const expected = random.chance(0.1) ? random.pick(wrong) : sequence;
    const event = { n: nextEvent(), key, ...dead };
    const first = !seen.has(key);
    seen.add(key);
    return first && random.chance(0.85) ? { ...event, expected } : event;
  });
}

/**
 * Returns true when the request is settled: it has succeeded, or a key did not match the
 * expectation.
 */
async function publish(
  world: ClientWorld,
  name: string,
  random: SeededRandom,
  events: readonly EventRef[],
  known: Map<string, number>,
  idempotencyKey: string | undefined,
): Promise<boolean> {
  let settled = false;
  const receipt = await world.recorder.record(
    name,
    {
      op: "publish",
      stream: STREAM,
      events,
      ...(idempotencyKey === undefined ? {} : { keyed: true }),
    },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.publish(defaultTenant, STREAM, events.map(incoming), { idempotencyKey }),
      ),
    ({ events: published }) => ({
      op: "publish",
      sequences: published.map(({ sequence }) => sequence),
    }),
    (code, mismatches = []) => {
      settled = code === "sequence-mismatch";
      for (const { key, sequence, deleted } of mismatches) known.set(key, deleted ? 0 : sequence);
    },
  );
  for (const [index, { key, dead }] of events.entries()) {
    const sequence = receipt?.events[index]?.sequence;
    if (sequence !== undefined) known.set(key, dead === true ? 0 : sequence);
  }
  if (receipt?.replayed) world.recorder.count("publish.expected-replayed");
  return settled || receipt !== undefined;
}

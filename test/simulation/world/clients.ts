import { LedgerError } from "../../../packages/core/src/kernel/error.ts";
import type { Ledger } from "../../../packages/core/src/ledger.ts";
import type { IncomingEvent, RawJson } from "../../../packages/core/src/model/event.ts";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { EventRef } from "../checker/history.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { HOUR_MS, STREAM } from "./plan.ts";
import { attempt } from "./readers.ts";
import type { ClientWorld } from "./world.ts";

/** How often a request with an idempotency key is sent at most. */
const TRIES_MAX = 12;

const newKey = ({ plan }: ClientWorld, random: SeededRandom): string =>
  `key-${random.between(1, plan.keys)}`;

const newEvent = (
  world: ClientWorld,
  random: SeededRandom,
  key = newKey(world, random),
): EventRef => {
  const n = world.nextEvent();
  return random.chance(world.plan.tombstones) ? { n, key, dead: true } : { n, key };
};

/** Returns an event in the form in which it is sent. */
export function incoming({ n, key, dead, expected }: EventRef): IncomingEvent {
  const event =
    dead === true
      ? { attributes: { key, id: `${n}`, headers: { n: `${n}` } }, data: "null" as RawJson }
      : { attributes: { key, id: `${n}` }, data: `{"n":${n}}` as RawJson };
  return expected === undefined ? event : { ...event, expectedSequence: expected };
}

/** Publishes one request after another. A request with a key is repeated until it succeeds. */
export async function runPublisher(world: ClientWorld, name: string): Promise<void> {
  const { plan } = world;
  const random = world.random.fork(`${name} ${world.time.nowMs()}`);
  for (let request = 0; request < plan.requests; request++) {
    await world.sleep(random.fraction() * random.pick(plan.publishPaceMs));
    const key = plan.oneKey > 0 && random.chance(plan.oneKey) ? newKey(world, random) : undefined;
    const events = Array.from({ length: random.between(1, plan.burst) }, () =>
      newEvent(world, random, key),
    );
    const keyed = random.chance(plan.keyed);
    const send = () =>
      publish(world, name, random, events, keyed ? `key ${events[0]?.n}` : undefined);
    for (let tries = 0; ; tries++) {
      const twice = keyed && random.chance(0.15);
      const answers = await Promise.all(twice ? [send(), send()] : [send()]);
      if (!keyed || answers.some(Boolean) || tries === TRIES_MAX || world.isOver()) break;
      if (plan.impostors > 0 && random.chance(plan.impostors)) {
        await publishOther(world, random, events);
      }
      await world.sleep(random.fraction() * 400);
    }
    if (keyed && random.chance(0.1)) await send();
    if (keyed && random.chance(0.05)) await publishOther(world, random, events);
  }
}

async function publish(
  world: ClientWorld,
  name: string,
  random: SeededRandom,
  events: readonly EventRef[],
  idempotencyKey: string | undefined,
): Promise<boolean> {
  const api = world.anyApi(random);
  const receipt = await world.recorder.record(
    name,
    {
      op: "publish",
      stream: STREAM,
      events,
      ...(idempotencyKey === undefined ? {} : { keyed: true }),
    },
    () =>
      world.call(api, (ledger) =>
        ledger.publish(defaultTenant, STREAM, events.map(incoming), { idempotencyKey }),
      ),
    ({ events: published }) => ({
      op: "publish",
      sequences: published.map(({ sequence }) => sequence),
    }),
  );
  if (receipt?.replayed === true) world.recorder.count("publish.replayed");
  return receipt !== undefined;
}

/**
 * Sends other events with the same key. This must be refused, unless the first request never got
 * its claim.
 */
async function publishOther(
  world: ClientWorld,
  random: SeededRandom,
  events: readonly EventRef[],
): Promise<void> {
  const other = [newEvent(world, random)];
  await world.recorder.record(
    "impostor",
    { op: "publish", stream: STREAM, events: other, keyed: true },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.publish(defaultTenant, STREAM, other.map(incoming), {
          idempotencyKey: `key ${events[0]?.n}`,
        }),
      ),
    ({ events: published }) => ({
      op: "publish",
      sequences: published.map(({ sequence }) => sequence),
    }),
  );
}

/** Longer than any simulation. */
const ARCHIVE_DAYS = 36_500;

/** Creates the stream, and retries until it exists. */
export async function createStream(world: ClientWorld, random: SeededRandom): Promise<void> {
  const { retentionHours, growsAt } = world.plan;
  const partitions = growsAt === undefined ? world.plan.partitions : "auto";
  const config = {
    name: STREAM,
    description: "",
    compaction: "key" as const,
    archiveDays: world.plan.archived ? ARCHIVE_DAYS : null,
    partitions,
    retentionHours,
  } as const;
  for (let made: unknown; made === undefined; ) {
    made = await world.recorder.record(
      "admin",
      { op: "create", stream: STREAM, ...(growsAt === undefined ? {} : { grows: true }) },
      () =>
        world.call(world.anyApi(random), (ledger) => ledger.createStream(defaultTenant, config)),
      () => ({ op: "create" }),
    );
    // It may exist with another number of partitions.
    const mayDiffer = world.plan.resizes > 0 || growsAt !== undefined;
    const isThere = mayDiffer && world.tap.liveUid(STREAM) !== undefined;
    if (made === undefined && isThere) return;
    if (made === undefined) await world.sleep(200);
  }
}

/** Deletes the stream and creates it again. */
export async function recreateStream(world: ClientWorld, random: SeededRandom): Promise<void> {
  const life = world.tap.liveUid(STREAM);
  if (life === undefined) return;
  for (let tries = 0; tries < 8 && world.tap.liveUid(STREAM) === life; tries++) {
    await world.recorder.record(
      "admin",
      { op: "delete", stream: STREAM, life },
      () =>
        world.call(world.anyApi(random), (ledger) => ledger.deleteStream(defaultTenant, STREAM)),
      () => ({ op: "delete" }),
    );
  }
  if (random.chance(0.5)) await world.sleep(random.between(0, 3_000));
  await createStream(world, random);
}

/** Changes the retention of the stream from time to time. */
export async function patchRetention(world: ClientWorld, random: SeededRandom): Promise<void> {
  for (let done = 0; done < world.plan.patches; done++) {
    await world.sleep(random.between(0, 4_000));
    if (world.isOver()) return;
    const retentionHours = random.pick(world.plan.patchHours);
    await world.recorder.record(
      "admin",
      { op: "patch", stream: STREAM, retentionMs: retentionHours * HOUR_MS },
      () =>
        world.call(world.anyApi(random), (ledger) =>
          ledger.patchStream(defaultTenant, STREAM, { retentionHours }),
        ),
      () => ({ op: "patch" }),
    );
  }
}

/** Gives the stream another number of partitions from time to time. */
export async function resize(world: ClientWorld, random: SeededRandom): Promise<void> {
  for (let done = 0; done < world.plan.resizes; done++) {
    await world.sleep(random.between(0, 4_000));
    if (world.isOver()) return;
    // A stream that grows by itself gets none of these numbers.
    const partitions =
      world.plan.growsAt === undefined
        ? random.pick([1, 2, 3, 4])
        : random.pick([1, 2, 3, "auto", "auto"] as const);
    await world.recorder.record(
      "admin",
      { op: "resize", stream: STREAM, partitions },
      () =>
        world.call(world.anyApi(random), (ledger) =>
          ledger.patchStream(defaultTenant, STREAM, { partitions }),
        ),
      () => ({ op: "resize" }),
    );
  }
}

/** Rings the compactor for the records of the table stream, with losses and duplicates. */
export async function runDoorbell(world: ClientWorld): Promise<void> {
  const random = world.random.fork(`doorbell ${world.time.nowMs()}`);
  while (!world.isOver()) {
    await world.sleep(random.between(20, 600));
    const heard = world.tap.takeTouched().flatMap((pk) => {
      const lost = random.chance(0.1);
      if (lost) world.recorder.count("doorbell.lost");
      if (lost) return [];
      const twice = random.chance(0.1);
      if (twice) world.recorder.count("doorbell.twice");
      return twice ? [pk, pk] : [pk];
    });
    if (heard.length === 0) continue;
    await quietly(world, "ring", random, (ledger) => ledger.ring(random.shuffle(heard)));
  }
}

/** Runs sweeps, and requests compactions now and then. */
export async function runSweeper(world: ClientWorld, name: string): Promise<void> {
  const random = world.random.fork(`${name} ${world.time.nowMs()}`);
  while (!world.isOver()) {
    await world.sleep(random.between(50, 2_500));
    if (random.chance(0.6)) await sweepOnce(world, random);
    else await compactOnce(world, name, random);
  }
}

export const sweepOnce = (world: ClientWorld, random: SeededRandom): Promise<boolean> =>
  quietly(world, "sweep", random, async (ledger) => {
    const before = world.tap.liveUid(STREAM);
    const swept = await ledger.sweep();
    const { stuck, floorsMoved, livesRemoved, endsFinished, done, partitions } = swept;
    // "done" says that every partition was visited, even if the store answered in part.
    if (done && before !== undefined && before === world.tap.liveUid(STREAM)) {
      world.recorder.count("sweep.whole");
      if (partitions < world.plan.partitions) {
        world.fail(`a sweep that is done has seen ${partitions} partitions`);
      }
    }
    for (const { code, error } of stuck) noteStuck(world, code, error);
    if (world.plan.erasures > 0) await sweepErasures(world, ledger);
    if (floorsMoved > 0) world.recorder.count("sweep.floor-moved");
    if (livesRemoved > 0) world.recorder.count("sweep.life-removed");
    if (endsFinished > 0) world.recorder.count("sweep.end-finished");
  });

/** Carries on the erasures. Faults of the store and the bucket explain a failure. */
async function sweepErasures(world: ClientWorld, ledger: Ledger): Promise<void> {
  for (const error of await ledger.sweepErasures({ budgetMs: 60_000 })) {
    const code = error instanceof LedgerError ? error.code : "internal";
    const isPaused = error instanceof Error && error.name === "SectionTooOld";
    noteStuck(world, isPaused ? "paused" : code, error);
  }
}

/** Erases a key from time to time. */
export async function erase(world: ClientWorld, random: SeededRandom): Promise<void> {
  for (let done = 0; done < world.plan.erasures; done++) {
    await world.sleep(random.between(0, 4_000));
    if (world.isOver()) return;
    const key = newKey(world, random);
    await attempt(world, "erase", () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.createErasure(defaultTenant, STREAM, { key, reason: "the simulation" }),
      ),
    );
  }
}

/** Faults of the store and an ended life explain a stuck partition. Damage does not. */
function noteStuck(world: ClientWorld, code: string, error: unknown): void {
  world.recorder.count(`stuck.${code}`);
  if (code === "invariant" || code === "internal") {
    world.fail(`internal: stuck: ${error instanceof Error ? error.stack : error}`);
  }
}

export const compactOnce = (world: ClientWorld, name: string, random: SeededRandom) =>
  world.recorder.record(
    name,
    { op: "compact", stream: STREAM, life: world.tap.liveUid(STREAM) ?? "" },
    () =>
      world.call(world.anyApi(random), async (ledger) => {
        try {
          return await ledger.compact(defaultTenant, STREAM);
        } catch (error) {
          if (!(error instanceof Error) || error.name !== "SectionTooOld") throw error;
          return { done: false };
        }
      }),
    ({ done }) => ({ op: "compact", done }),
  );

/** Makes a call that leaves no trace in the history. Returns whether it succeeded. */
async function quietly(
  world: ClientWorld,
  what: string,
  random: SeededRandom,
  run: Parameters<ClientWorld["call"]>[1],
): Promise<boolean> {
  try {
    await world.call(world.anyApi(random), run);
    world.recorder.count(`${what}.ok`);
    return true;
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    const code = error instanceof Error && "code" in error ? String(error.code) : name;
    world.recorder.count(`${what}.${code}`);
    if (name !== "LedgerError" && name !== "NoAnswer" && name !== "SectionTooOld") {
      world.fail(`internal: ${what}: ${error instanceof Error ? error.stack : error}`);
    }
    return false;
  }
}

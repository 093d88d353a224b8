import type { StoredEvent } from "../../../packages/core/src/model/event.ts";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { STREAM } from "./plan.ts";
import { deliveredOf, refOf } from "./tap.ts";
import { haveSubscription, recoverFrom, type Team, type Worker } from "./team.ts";
import type { ClientWorld } from "./world.ts";

/** A page that a worker is processing. */
type Held = {
  readonly team: string;
  readonly events: readonly StoredEvent[];
  readonly cursor: string;
  readonly caughtUp: boolean;
  /** True if the worker has a share in every partition. */
  readonly isWhole: boolean;
};

/** How often a worker tries to park a key before it drops its page. */
const PARK_TRIES = 6;

/** Polls, processes and commits. Sometimes the worker fails, leaves or crashes. */
export async function work(
  world: ClientWorld,
  team: Team,
  worker: Worker,
  polls: number,
): Promise<void> {
  if (worker.busy) return;
  worker.busy = true;
  const random = world.random.fork(`${worker.name} ${world.time.nowMs()}`);
  for (let done = 0; done < polls; done++) {
    await world.sleep(random.fraction() * random.pick(world.plan.readPaceMs));
    if (!(await haveSubscription(world, team, random))) continue;
    if (random.chance(world.plan.crashes)) crash(world, worker, random);
    const isLeaving = random.chance(world.plan.leaves);
    const page = await receive(world, team, worker, { random, isLeaving });
    if (page === undefined) continue;
    // Sometimes this is longer than a lease, so that another worker takes over.
    const paceMs = random.pick([...world.plan.readPaceMs, world.plan.leaseSeconds * 2_000]);
    await world.sleep(random.fraction() * paceMs);
    const done = await processPage(world, team, worker, {
      page,
      random,
      failing: world.plan.failing,
    });
    if (done && random.chance(0.7)) await settle(world, team, worker, { page, random });
    else worker.after = done && random.chance(0.5) ? page.cursor : undefined;
    if (isLeaving) await leave(world, team, worker, random);
  }
  worker.busy = false;
}

/** The worker forgets what it has read. The next process has its name or another one. */
function crash({ recorder }: ClientWorld, worker: Worker, random: SeededRandom): void {
  recorder.count("worker.crash");
  worker.after = undefined;
  if (random.chance(0.5)) return;
  worker.names += 1;
  worker.name = `${worker.base}-${worker.names}`;
}

/** Polls. A worker that is about to leave may wait until it has left. */
export async function receive(
  world: ClientWorld,
  team: Team,
  worker: Worker,
  {
    random,
    isLeaving = false,
    limit = random.pick(world.plan.pageLimits),
  }: { random: SeededRandom; isLeaving?: boolean; limit?: number },
): Promise<Held | undefined> {
  const { name } = team;
  const { after } = worker;
  const waitSeconds = random.chance(isLeaving ? 0.5 : 0.1) ? 1 : 0;
  const query = { limit, consumer: worker.name, waitSeconds, ...(after && { after }) };
  let refused: string | undefined;
  const answering = world.recorder.record(
    worker.name,
    { op: "receive", team: name, worker: worker.name },
    () =>
      world.call(world.anyApi(random), (ledger) => ledger.poll(defaultTenant, STREAM, name, query)),
    ({ events, cursor }) => {
      const { life, subscription, positions, tokens } = world.readCursor(cursor);
      return {
        op: "receive",
        life,
        uid: subscription?.uid ?? "",
        generation: subscription?.generation ?? 0,
        events: events.map(deliveredOf),
        tokens: positions.map((_, partition) => tokens?.[partition] ?? null),
      };
    },
    (code) => {
      refused = code;
    },
  );
  if (waitSeconds > 0 && isLeaving) {
    await world.sleep(random.fraction() * 1_000);
    await leave(world, team, worker, random);
  }
  const answer = await answering;
  worker.after = undefined;
  if (refused !== undefined) await recoverFrom(world, team, name, { code: refused, random });
  if (answer === undefined) return undefined;
  if (team.name === name) noteSeen(team, answer.events);
  const { tokens, positions } = world.readCursor(answer.cursor);
  // Workers share the partitions of one epoch.
  const first = world.tap.firstPartition();
  const isWhole = positions.every((_, at) => at < first || tokens?.[at] !== undefined);
  return { ...answer, team: name, isWhole };
}

function noteSeen({ seen }: Team, events: readonly StoredEvent[]): void {
  for (const { key, sequence } of events) seen.set(key, [...(seen.get(key) ?? []), sequence]);
}

/**
 * Returns whether the page may be committed: every event is processed or its key is parked. A
 * worker whose subscription counts deliveries may crash instead.
 */
export async function processPage(
  world: ClientWorld,
  team: Team,
  worker: Worker,
  { page, random, failing }: { page: Held; random: SeededRandom; failing: number },
): Promise<boolean> {
  const failed = new Map<string, number>();
  const processed: number[] = [];
  for (const event of page.events) {
    if (failed.has(event.key)) continue;
    if (random.chance(failing)) failed.set(event.key, event.sequence);
    else processed.push(refOf(event).n);
  }
  if (processed.length > 0) {
    const { life } = world.readCursor(page.cursor);
    world.recorder.note({ op: "processed", team: page.team, life, events: processed });
  }
  if (failed.size === 0) return true;
  world.recorder.count("worker.failed");
  if (team.counts && random.chance(0.7)) return false;
  for (const [key, sequence] of failed) {
    if (!(await park(world, worker, { team: page.team, key, sequence, random }))) return false;
  }
  return true;
}

export async function park(
  world: ClientWorld,
  { name }: Pick<Worker, "name">,
  of: { team: string; key: string; sequence: number; random: SeededRandom },
): Promise<boolean> {
  const { team, key, sequence, random } = of;
  for (let tries = 0; tries < PARK_TRIES; tries++) {
    let again = false;
    const parked = await world.recorder.record(
      name,
      { op: "park", team, key, sequence },
      () =>
        world.call(world.anyApi(random), (ledger) =>
          ledger.park(defaultTenant, STREAM, team, { sequence, key, reason: "" }),
        ),
      () => ({ op: "park" }),
      (code) => {
        again = AGAIN.has(code);
      },
    );
    if (parked !== undefined) return true;
    if (!again) return false;
    await world.sleep(random.fraction() * 300);
  }
  return false;
}

const AGAIN = new Set(["outcome-unknown", "no-answer", "store-unavailable"]);

export async function settle(
  world: ClientWorld,
  team: Team,
  worker: Worker,
  { page, random }: { page: Held; random: SeededRandom },
): Promise<void> {
  const { cursor, team: name } = page;
  const { positions, tokens, subscription } = world.readCursor(cursor);
  let refused: string | undefined;
  const receipt = await world.recorder.record(
    worker.name,
    {
      op: "settle",
      team: name,
      worker: worker.name,
      generation: subscription?.generation ?? 0,
      to: positions.map((at) => at?.next ?? null),
      tokens: positions.map((_, partition) => tokens?.[partition] ?? null),
    },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.commit(defaultTenant, STREAM, name, cursor),
      ),
    ({ stale }) => ({ op: "settle", stale }),
    (code) => {
      refused = code;
    },
  );
  worker.after = receipt?.stale === false && random.chance(0.5) ? cursor : undefined;
  if (refused !== undefined) await recoverFrom(world, team, name, { code: refused, random });
}

async function leave(
  world: ClientWorld,
  { name: team }: Team,
  { name: worker }: Worker,
  random: SeededRandom,
): Promise<void> {
  await world.recorder.record(
    worker,
    { op: "leave", team, worker },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.leave(defaultTenant, STREAM, team, worker),
      ),
    () => ({ op: "leave" }),
  );
}

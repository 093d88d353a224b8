import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import { checkHistory } from "../checker/check.ts";
import type { Line, Violation } from "../checker/history.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import {
  compactOnce,
  createStream,
  erase,
  patchRetention,
  recreateStream,
  resize,
  runDoorbell,
  runPublisher,
  runSweeper,
  sweepOnce,
} from "./clients.ts";
import { runConditionalPublisher } from "./conditional-publisher.ts";
import { checkErased, finishErasures } from "./erasures.ts";
import { type Holder, newHolder, useKey } from "./keyholder.ts";
import { type Lister, newLister, renew, renewAll } from "./lists.ts";
import { askForMore, hasEndedLives, noteUsage, runMeter, setQuota } from "./meters.ts";
import { runNemesis } from "./nemesis.ts";
import { drain, operate } from "./operator.ts";
import { type Plan, STREAM } from "./plan.ts";
import { drainPush, managePush, runDispatcher, runOutages, runPushers } from "./pushers.ts";
import { browse, catchUp, type Follower, follow, lookUp, newFollower } from "./readers.ts";
import { newTeam, type Team } from "./team.ts";
import { work } from "./worker.ts";
import { createWorld, startFaults, type World } from "./world.ts";

export type Simulated = {
  readonly seed: string;
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  readonly history: readonly Line[];
  /** The last steps of the store. */
  readonly trace: readonly string[];
  /** How often each operation, fault and outcome occurred. */
  readonly counts: Readonly<Record<string, number>>;
  /** How long the run would have taken in real time. */
  readonly simulatedMs: number;
};

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The maximum length of a phase. Calls that still wait continue in the next phase. */
const PHASE_MS = 4 * MINUTE_MS;
/** By this time, requests that arrive after their caller gave up have arrived. */
const SETTLE_MS = 6 * MINUTE_MS;
/** Everything catches up within this time after the faults end. */
const RECOVERY_MS = 10 * SECOND_MS;

/**
 * Plays one seed. Phases of activity under faults alternate with leaps of time. Then all faults
 * end, the clients have ten seconds to recover, and everything is read once more. A run depends
 * only on the seed.
 */
export async function simulate(seed: string, given?: Partial<Plan>): Promise<Simulated> {
  const world = createWorld(seed, given);
  const { plan, random, recorder, time, store } = world;
  const startedMs = time.nowMs();
  const chance = random.fork("driver");
  const followers = [
    ...Array.from({ length: plan.followers }, (_, index) =>
      newFollower(`follower-${index}`, chance.pick(["earliest", "earliest", "latest"] as const)),
    ),
    ...Array.from({ length: plan.bootstrappers }, (_, index) =>
      newFollower(`bootstrap-${index}`, "bootstrap"),
    ),
  ];
  const teams = Array.from({ length: plan.teams }, (_, index) => newTeam(world, `team-${index}`));
  const holders = Array.from({ length: plan.holders }, (_, index) => newHolder(`holder-${index}`));
  const listers = Array.from({ length: plan.listers }, (_, index) => newLister(`lister-${index}`));
  const pushed = Array.from({ length: plan.pushes }, (_, index) =>
    newTeam(world, `pushed-${index}`),
  );
  await play(world, createStream(world, chance));
  if (plan.meters > 0) await play(world, setQuota(world, chance));
  startFaults(world);
  for (let phase = 0; phase < plan.phases; phase++) {
    if (phase > 0) await leap(world, chance);
    await play(
      world,
      runPhase(world, chance, { followers, teams, pushed, listers, holders, phase }),
    );
    // Calls that are still waiting continue, but no client starts anything new during the leap.
    world.setOver(true);
  }
  await recover(world, chance, { followers, teams, pushed, listers });
  await measure(world, random.fork("measure"), startedMs);
  // Virtual time blocks the event loop, and a process that plays many seeds has messages to send.
  await new Promise(setImmediate);
  const violations = checkHistory(recorder.lines, {
    retentionMs: plan.retentionHours * HOUR_MS,
    skewMs: toleranceOf(world),
    archived: plan.archived,
  });
  const odd = [...world.failures, ...store.refusals()].map((detail) => ({
    name: "internal-error" as const,
    detail,
    atMs: time.nowMs(),
  }));
  return {
    seed,
    plan,
    history: recorder.lines,
    trace: world.trace,
    violations: [...violations, ...odd],
    counts: { ...store.counts(), ...Object.fromEntries(recorder.counts) },
    simulatedMs: time.nowMs() - startedMs,
  };
}

/**
 * Returns how much too early an event may disappear at most: the time for which a put is in flight
 * or held by a freeze. Wrong clocks excuse nothing, except that a clock that is set while its
 * process runs is trusted.
 */
function toleranceOf({ plan, recorder }: World): number {
  const held = SETTLE_MS + (plan.freezes > 0 ? HOUR_MS : 0);
  return held + ((recorder.counts.get("nemesis.clock") ?? 0) > 0 ? 2 * plan.skewMs : 0);
}

/** Lets time pass until some work is done, or for the length of a phase. */
async function play(world: World, work: Promise<unknown>, forMs = PHASE_MS): Promise<boolean> {
  const { time } = world;
  let done = false;
  const mark = (): void => {
    done = true;
  };
  work.then(mark, (error: unknown) => {
    world.fail(`internal: ${error instanceof Error ? error.stack : error}`);
    mark();
  });
  await time.run({ until: () => done, untilMs: time.nowMs() + forMs });
  return done;
}

type Readers = {
  readonly followers: readonly Follower[];
  readonly teams: readonly Team[];
  /** The subscriptions that are pushed. */
  readonly pushed: readonly Team[];
  readonly listers: readonly Lister[];
};

/** Runs all clients. The phase ends when they have done their work. */
async function runPhase(
  world: World,
  chance: SeededRandom,
  {
    followers,
    teams,
    pushed,
    listers,
    holders,
    phase,
  }: Readers & { holders: readonly Holder[]; phase: number },
): Promise<void> {
  const { plan } = world;
  world.setOver(false);
  for (let index = 0; index < plan.sweepers; index++) void runSweeper(world, `sweeper-${index}`);
  if (plan.doorbell) void runDoorbell(world);
  void runNemesis(world, phase);
  if (plan.reaper) void runReaper(world, chance.fork(`reaper ${phase}`));
  for (let index = 0; index < plan.meters; index++) void runMeter(world, `meter-${index}.${phase}`);
  if (plan.pushes > 0) {
    void runDispatcher(world);
    void runPushers(world);
    void runOutages(world);
  }
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
  const deleting = chance.chance(plan.deletes);
  await Promise.all([
    ...numbers(plan.publishers).map((index) => runPublisher(world, `publisher-${index}.${phase}`)),
    ...numbers(plan.conditioners).map((index) =>
      runConditionalPublisher(world, `conditioner-${index}.${phase}`),
    ),
    ...followers.map((follower) => follow(world, follower, plan.polls)),
    ...teams.flatMap((team) => [
      ...team.workers.map((worker) => work(world, team, worker, plan.polls)),
      operate(world, team, plan.operations),
    ]),
    ...pushed.flatMap((team) => [
      managePush(world, team, plan.polls),
      operate(world, team, plan.operations),
    ]),
    ...listers.map((lister) => renew(world, lister, plan.polls)),
    ...holders.map((holder) => useKey(world, holder, { teams, times: plan.asks })),
    ...numbers(plan.browsers).map((index) => browse(world, `browser-${index}`, plan.polls)),
    ...(plan.browsers > 0 ? [lookUp(world, "reader", 4)] : []),
    ...(plan.patches > 0 ? [patchRetention(world, chance.fork(`patches ${phase}`))] : []),
    ...(plan.erasures > 0 ? [erase(world, chance.fork(`erasures ${phase}`))] : []),
    ...(plan.resizes > 0 ? [resize(world, chance.fork(`resizes ${phase}`))] : []),
    ...(deleting
      ? [world.sleep(chance.between(0, 4_000)).then(() => recreateStream(world, chance))]
      : []),
  ]);
  world.setOver(true);
}

/** Deletes expired items now and then. */
async function runReaper(world: World, random: SeededRandom): Promise<void> {
  while (!world.isOver()) {
    await world.sleep(random.between(100, 3_000));
    world.store.expireItems({ lateMs: random.pick([0, 72 * HOUR_MS]) });
  }
}

/** Leaps in time, with sweeps now and then and the expiry of due items. */
async function leap(world: World, chance: SeededRandom): Promise<void> {
  const { store, plan } = world;
  const lengthMs = chance.pick(plan.leapsMs);
  const sweeps = plan.sweepers === 0 ? chance.pick([0, 0, 1]) : chance.between(1, 4);
  world.recorder.count(
    `leap.${lengthMs >= DAY_MS ? "days" : lengthMs >= HOUR_MS ? "hours" : "minutes"}`,
  );
  for (let step = 0; step <= sweeps; step++) {
    await play(world, world.sleep(lengthMs / (sweeps + 1)), lengthMs / (sweeps + 1) + 1);
    store.expireItems({ lateMs: chance.pick([0, HOUR_MS, 72 * HOUR_MS]) });
    if (step < sweeps) await play(world, sweepOnce(world, chance), MINUTE_MS);
  }
}

/** Ends the faults and lets every client catch up. Then reads everything that can still be seen. */
async function recover(
  world: World,
  chance: SeededRandom,
  { followers, teams, pushed, listers }: Readers,
): Promise<void> {
  const { time, store, recorder, apis, tap, plan } = world;
  world.setOver(true);
  store.setFaults();
  world.bucket.setFaults();
  world.endpoint.calm();
  world.calm();
  for (const [index, api] of apis.entries()) {
    api.process.thaw();
    if (api.process.state() === "dead" && !world.restores.stopped)
      apis[index] = world.startApi(api.name);
  }
  // The operator may still wait for the answer of a process that was killed.
  if (!(await play(world, world.restores.running, RECOVERY_MS + plan.patienceMs)))
    world.fail("internal: a restore is not complete ten seconds after the last answer");
  await play(world, world.sleep(SETTLE_MS), SETTLE_MS + SECOND_MS);
  if (tap.liveUid(STREAM) === undefined) await play(world, createStream(world, chance));
  await repairIfNeeded(world, chance);
  if (!(await play(world, compactUntilDone(world, chance), RECOVERY_MS)))
    world.fail("internal: compaction does not catch up within ten seconds");
  tap.noteCompacted();
  recorder.note({ op: "healed" });
  const last = { ...world, plan: { ...world.plan, requests: 1, crashes: 0, seeks: 0 } };
  const startedMs = time.nowMs();
  const done = await play(world, runPublisher(last, "last-publisher"), RECOVERY_MS * 3);
  if (!done) world.fail("internal: publishing does not recover");
  const caughtUp = Promise.all(followers.map((follower) => catchUp(last, follower, 40)));
  if (!(await play(world, caughtUp, RECOVERY_MS * 6))) {
    world.fail(`internal: readers do not catch up (${time.nowMs() - startedMs} ms)`);
  } else if ((await caughtUp).includes(false)) {
    world.fail("internal: a reader never says that it has caught up");
  }
  const drained = Promise.all(teams.map((team) => drain(last, team)));
  if (!(await play(world, drained, RECOVERY_MS * 6)) || (await drained).includes(false)) {
    world.fail("internal: a team never has everything");
  }
  for (const team of pushed) {
    const emptied = drainPush(last, team);
    if (!(await play(world, emptied, MINUTE_MS)) || !(await emptied))
      world.fail("internal: a push never sends everything");
  }
  const renewed = Promise.all(listers.map((lister) => renewAll(last, lister)));
  if (!(await play(world, renewed, RECOVERY_MS * 6)) || (await renewed).includes(false)) {
    world.fail("internal: a list of current states never ends");
  }
  await play(world, browse(last, "last-browser", 20));
  await play(world, compactUntilDone(world, chance), RECOVERY_MS);
  if (!(await play(world, sweepOnce(world, chance), MINUTE_MS)))
    world.fail("internal: no sweep ends");
  if (plan.erasures > 0) await finishAll(world, chance);
  if (world.plan.archived) await play(world, verifyArchive(world, chance), MINUTE_MS);
  tap.noteCompacted();
}

/** Lets ended lives be removed, compares usage with the log, and asks more than a quota allows. */
async function measure(world: World, chance: SeededRandom, startedMs: number): Promise<void> {
  for (let tries = 0; tries < 4 && hasEndedLives(world); tries++) {
    await play(world, world.sleep(40 * MINUTE_MS), HOUR_MS);
    await play(world, sweepOnce(world, chance), MINUTE_MS);
  }
  await play(world, sweepOnce(world, chance), MINUTE_MS);
  // Usage has no hours that have not begun by the clock of the process that answers.
  await play(world, world.sleep(2 * world.plan.skewMs), 2 * world.plan.skewMs + 1);
  if (!(await play(world, noteUsage(world, chance, startedMs), MINUTE_MS)))
    world.fail("internal: usage does not answer");
  if (world.plan.meters > 0) await play(world, askForMore(world), PHASE_MS);
}

/** Lets every erasure end, reads everything once more, and searches for what was erased. */
async function finishAll(world: World, chance: SeededRandom): Promise<void> {
  const pass = (ms: number) => world.sleep(ms);
  if (!(await play(world, finishErasures(world, chance, pass), 4 * HOUR_MS)))
    world.fail("internal: erasures do not end");
  await play(world, browse(world, "browser-after-erasures", 20));
  await play(world, checkErased(world, chance), MINUTE_MS);
}

/** Archives everything, and checks that the archive is as it was written. */
async function verifyArchive(world: World, chance: SeededRandom): Promise<void> {
  // A stream that has grown has many partitions, and they are visited one after another.
  const found = await world.call(
    world.anyApi(chance),
    async (ledger) => {
      await ledger.archive(defaultTenant, STREAM);
      return ledger.verifyArchive(defaultTenant, STREAM, undefined);
    },
    MINUTE_MS,
  );
  if (found.segments > 0) world.recorder.count("archive.verified");
  if (found.fault !== null || found.cursor !== null)
    world.fail(`internal: the archive is damaged: ${JSON.stringify(found)}`);
}

async function compactUntilDone(world: World, chance: SeededRandom): Promise<void> {
  while ((await compactOnce(world, "last-compactor", chance))?.done !== true)
    await world.sleep(100);
}

/** After 30 days without a check, only an operator can repair the stream. */
async function repairIfNeeded(world: World, chance: SeededRandom): Promise<void> {
  const life = world.tap.liveUid(STREAM);
  if (life === undefined) return;
  // A call without time compacts a page of batches, and the next one continues.
  const budgetMs = chance.chance(0.5) ? 0 : MINUTE_MS;
  for (let calls = 0; calls < 100; calls++) {
    const work = world
      .call(world.anyApi(chance), (ledger) =>
        ledger.repairNumbering(defaultTenant, STREAM, { budgetMs }),
      )
      .catch(() => NOTHING_REPAIRED);
    await play(world, work, MINUTE_MS);
    const { repaired, done } = await work;
    for (const [partition, next] of Object.entries(repaired)) {
      world.recorder.count("repair");
      world.recorder.note({ op: "repair", life, partition: Number(partition), next });
    }
    if (done) return;
  }
}

const NOTHING_REPAIRED: { repaired: Record<number, number>; done: boolean } = {
  repaired: {},
  done: true,
};

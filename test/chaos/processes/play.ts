import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { Line, Violation } from "../../simulation/checker/history.ts";
import { type SeededRandom, seededRandom } from "../../simulation/dynamodb/seeded-random.ts";
import { compactOnce, recreateStream } from "../../simulation/world/clients.ts";
import { STREAM } from "../../simulation/world/plan.ts";
import { attempt, browse } from "../../simulation/world/readers.ts";
import type { ClientWorld } from "../../simulation/world/world.ts";
import { sharedMs, TEAM } from "./box.ts";
import type { Span } from "./change-times.ts";
import { judge } from "./judge.ts";
import { disturbProcesses, killDatabase, pauseDatabase } from "./nemesis.ts";
import { readBack } from "./read-back.ts";
import { type Stage, setStage } from "./stage.ts";

/** The time from the last fault until each of these conditions holds. */
export type Recovery = {
  /** Every publisher has finished its current request. */
  readonly publishersMs: number;
  /** Everything is compacted. */
  readonly compactedMs: number;
  /** Every reader has received everything. */
  readonly readersMs: number;
};

export type Played = {
  readonly violations: readonly Violation[];
  readonly history: readonly Line[];
  readonly counts: Readonly<Record<string, number>>;
  /** The number of events in the table at the end. */
  readonly events: number;
  readonly recovery: Recovery;
  /** When the partitions were changed, and when a process was dead or paused. */
  readonly changes: readonly Span[];
  readonly disturbances: readonly Span[];
};

export type PlayOptions = {
  readonly seed: string;
  readonly seconds: number;
  readonly publishers: number;
  /** The maximum number of events in one publish. */
  readonly batch: number;
  /**
   * The maximum number of events published per second. Readers have to keep up on the same machine.
   */
  readonly rate: number;
  /** The chance that a request to the database is disturbed. */
  readonly intensity: number;
  /** How often the database is killed. If it is not 0, the database keeps its data on disk. */
  readonly databaseKills: number;
  /**
   * The numbers of partitions that the stream has, one after the other. If there are several,
   * workers share a subscription, and the stream is not deleted.
   */
  readonly sizes?: readonly number[];
  /** The number of workers, if there are several sizes. */
  readonly workers?: number;
  readonly bootstrappers?: number;
  /**
   * The run goes on until so many events are acknowledged, but at most for twice its time.
   */
  readonly eventsMin?: number;
  /** How many times slower than an idle one this machine may be when everything catches up. */
  readonly slowness?: number;
  readonly onProgress?: (line: string) => void;
};

/**
 * Everything catches up within this time after the faults end. A reader may have to read all events
 * again, so there is as much time for each 100,000 events.
 */
const RECOVERY_MS = 10_000;

const recoveryMs = (events: number): number => RECOVERY_MS * Math.max(1, events / 100_000);

/**
 * Runs real processes over a local store, through a proxy that disturbs requests: two API servers,
 * a compactor, publishers, followers and bootstrapping clients. They are killed and paused during
 * the whole run. With the database in memory, the database is paused too, and the stream is deleted
 * and created again. With the database on disk, the database is killed. When the time is up, all
 * faults end, all clients catch up, the table is read back, and the history is checked. The seed
 * decides the actions, but not how real processes interleave.
 */
export async function playBlackBox(options: PlayOptions): Promise<Played> {
  const random = seededRandom(`black box ${options.seed}`);
  const { databaseKills, sizes = [] } = options;
  const [partitions] = sizes;
  const workers = sizes.length > 1 ? (options.workers ?? 3) : 0;
  const { bootstrappers = 3 } = options;
  const counts = { workers, bootstrappers };
  const of = partitions === undefined ? counts : { ...counts, partitions };
  const changes: Span[] = [];
  const disturbances: Span[] = [];
  const stage = await setStage({ ...options, ...of, random, onDisk: databaseKills > 0 });
  const { box, collected, proxy, lives, stored } = stage;
  const { recorder } = box.world;
  try {
    await runUnderFaults(options, stage, { random, changes, disturbances });
    const recovery = await recover(stage, options.slowness);
    const truth: Line[] = [];
    for (const life of lives.all()) truth.push(...(await readBack(stored, life, sharedMs())));
    collected.take();
    const lines = [...recorder.lines, ...collected.lines];
    const failures = [...stage.failures, ...collected.failures];
    const counts = countsOf([...recorder.counts, ...collected.counts], proxy.counts);
    return { ...judge(lines, truth, failures), recovery, counts, changes, disturbances };
  } finally {
    await stage.stop();
  }
}

/** A longer history does not fit into the memory of a small machine together with its checker. */
const LINES_MAX = 3_000_000;

/**
 * Runs all processes until the time is up and the last kill is done. After that there are no more
 * faults.
 */
async function runUnderFaults(
  options: PlayOptions,
  stage: Stage,
  { random, changes, disturbances }: Noted & { readonly random: SeededRandom },
): Promise<void> {
  const { seconds, intensity, databaseKills, sizes = [], onProgress = () => {} } = options;
  const { database, proxy, servers, clients, collected, box } = stage;
  const { world } = box;
  const beganMs = performance.now();
  const elapsed = () => (performance.now() - beganMs) / 1_000;
  const progress = setInterval(() => {
    collected.take();
    onProgress(progressOf(stage, elapsed()));
  }, 10_000);
  let over = false;
  const nemesis = { ...world, isOver: () => over, disturbances };
  const onDisk = databaseKills > 0;
  const acknowledged = () => {
    collected.take();
    return collected.counts.get("publish.ok") ?? 0;
  };
  proxy.setIntensity(intensity);
  const kills = { database, kills: databaseKills, acknowledged };
  const killing = killDatabase(nemesis, random.fork("database"), kills);
  const disturbing = [
    disturbProcesses(nemesis, random.fork("servers"), servers),
    disturbProcesses(nemesis, random.fork("clients"), clients.all),
    ...(onDisk ? [] : [pauseDatabase(nemesis, random.fork("pauses"), database)]),
    ...(onDisk || sizes.length > 1
      ? []
      : [recreateNowAndThen(stage, nemesis, random.fork("lives"), seconds)]),
    resizeInTurn(stage, random.fork("sizes"), { seconds, sizes, changes }),
  ];
  const until = async (work: () => Promise<unknown>): Promise<void> => {
    while (!over) await work();
  };
  void until(() => browse(world, "browser", 10));
  void until(() => compactOnce(world, "client", random).then(() => world.sleep(5_000)));
  let killed = false;
  void killing.then(() => {
    killed = true;
  });
  const eventsSoFar = countEvents(collected.lines);
  const lacks = () => elapsed() < 2 * seconds && eventsSoFar() < (options.eventsMin ?? 0);
  while ((elapsed() < seconds || !killed || lacks()) && collected.lines.length < LINES_MAX) {
    await world.sleep(200);
  }
  over = true;
  await Promise.all([killing, ...disturbing]);
  proxy.setIntensity(0);
  clearInterval(progress);
}

/** Returns a function that counts the acknowledged events of a history while it grows. */
function countEvents(lines: readonly Line[]): () => number {
  let [at, events] = [0, 0];
  return () => {
    for (; at < lines.length; at++) {
      const line = lines[at];
      if (line?.type === "ok" && line.op === "publish") events += line.sequences.length;
    }
    return events;
  };
}

/** The spans of a run that are noted while it goes on. */
type Noted = { readonly changes: Span[]; readonly disturbances: Span[] };

/** Changes the partitions of the stream, at equal intervals, until each change has succeeded. */
async function resizeInTurn(
  { box: { world } }: Stage,
  random: SeededRandom,
  {
    seconds,
    sizes,
    changes,
  }: { readonly seconds: number; readonly sizes: readonly number[]; readonly changes: Span[] },
): Promise<void> {
  for (const partitions of sizes.slice(1)) {
    await world.sleep((seconds * 1_000) / sizes.length);
    const change = () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.patchStream(defaultTenant, STREAM, { partitions }),
      );
    const fromMs = sharedMs();
    while ((await attempt(world, "resize", change)) === undefined) await world.sleep(100);
    changes.push({ fromMs, toMs: sharedMs() });
  }
}

/** The data of an ended life is removed half an hour later. Until then it can be read back. */
const LIVES_KEPT_S = 25 * 60;

/** Deletes the stream and creates it again a few times in a run. */
async function recreateNowAndThen(
  stage: Stage,
  { isOver, sleep }: Pick<ClientWorld, "isOver" | "sleep">,
  random: SeededRandom,
  seconds: number,
): Promise<void> {
  const world = adminOf(stage);
  const beganMs = performance.now();
  for (;;) {
    const nextMs = performance.now() + random.between(seconds * 150, seconds * 250);
    while (performance.now() < nextMs) {
      if (isOver()) return;
      await sleep(200);
    }
    if (performance.now() - beganMs < (seconds - LIVES_KEPT_S) * 1_000) continue;
    await recreateStream(world, random);
    world.recorder.count("stream.recreated");
  }
}

/**
 * Returns the environment of a client that reads the current life of the stream after everything it
 * does.
 */
function adminOf({ box: { world }, lives }: Stage): ClientWorld {
  return {
    ...world,
    tap: { ...world.tap, liveUid: lives.current },
    call: (api, run) => world.call(api, run).finally(lives.look),
  };
}

/**
 * Waits twice until all processes report that they have caught up. Returns how long the first time
 * took.
 */
async function recover(stage: Stage, slowness = 1): Promise<Recovery> {
  const { box, clients } = stage;
  const world = adminOf(stage);
  const healedMs = performance.now();
  const sinceMs = (): number => Math.round(performance.now() - healedMs);
  const compact = async (): Promise<number> => {
    while ((await compactOnce(world, "last-compactor", world.random))?.done !== true) {
      await world.sleep(100);
    }
    return sinceMs();
  };
  const read = async (): Promise<number> => {
    if (!(await clients.catchUp())) world.fail("a reader never catches up");
    return sinceMs();
  };
  await clients.endPublishers();
  const publishersMs = sinceMs();
  const [compactedMs, readersMs] = await Promise.all([compact(), read()]);
  const limitMs = recoveryMs(countEvents(stage.collected.lines)()) * slowness;
  if (Math.max(compactedMs, readersMs) > limitMs) {
    world.fail(`catching up takes ${readersMs} ms, compacting ${compactedMs} ms`);
  }
  world.recorder.note({ op: "healed" });
  await Promise.all([compact(), read()]);
  await browse(world, "last-browser", 20);
  const life = stage.lives.current();
  if (clients.workers > 0 && life !== undefined) {
    if (!(await clients.drain())) world.fail("a worker never ends");
    world.recorder.note({ op: "drained", team: TEAM, life });
  }
  box.end();
  return { publishersMs, compactedMs, readersMs };
}

function countsOf(
  counts: readonly (readonly [string, number])[],
  ofProxy: Readonly<Record<string, number>>,
): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [name, of] of counts) all[name] = (all[name] ?? 0) + of;
  for (const [name, of] of Object.entries(ofProxy)) all[`proxy.${name}`] = of;
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function progressOf({ box, collected, proxy }: Stage, seconds: number): string {
  const count = (name: string) => collected.counts.get(name) ?? 0;
  const { requests, ...faults } = proxy.counts;
  const injected = Object.values(faults).reduce((sum, of) => sum + of, 0);
  const done = [...box.world.recorder.counts].filter(([name]) => name.startsWith("nemesis."));
  return [
    `${seconds.toFixed(0)} s: ${count("publish.ok")} publishes, ${count("read.ok")} pages`,
    `${count("bootstrap.caught-up")} bootstraps, ${requests} database requests`,
    `${injected} spoiled, ${done.reduce((sum, [, of]) => sum + of, 0)} kills and stops`,
  ].join(", ");
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { checkHistory } from "../history/check.ts";
import type { Line, Violation } from "../history/history.ts";
import { seededRandom } from "../model/fake/seeded-random.ts";
import { compactOnce, createStream, runPublisher } from "../sim/clients.ts";
import { browse, catchUp, type Follower, follow, newFollower } from "../sim/readers.ts";
import { type ClientWorld, STREAM } from "../sim/world.ts";
import { localAws } from "../stack/local-aws.ts";
import { ensureTable } from "../stack/table.ts";
import { BOX_KEY, type Box, createBox } from "./box.ts";
import { type Database, startDatabase } from "./database.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { startKillable } from "./killable.ts";
import { disturbProcesses, killDatabase } from "./nemesis.ts";
import { readBack } from "./read-back.ts";

const TABLE = "blackbox";

export type Played = {
  readonly violations: readonly Violation[];
  readonly history: readonly Line[];
  readonly counts: Readonly<Record<string, number>>;
  /** Events that the table holds in the end. */
  readonly events: number;
  /** From the last fault until everybody has caught up. */
  readonly catchUpMs: number;
};

export type PlayOptions = {
  readonly seed: string;
  readonly seconds: number;
  readonly publishers: number;
  /** The most events in one publish. */
  readonly batch: number;
  /** Events per second that are published at most: readers have to keep up on the same machine. */
  readonly rate: number;
  /** The chance that a request to the database is spoiled. */
  readonly intensity: number;
  /** How often the database is killed; then it keeps its data on disk. */
  readonly databaseKills: number;
  readonly onProgress?: (line: string) => void;
};

/** Once faults end, everything catches up within this. */
export const RECOVERY_MS = 10_000;

/**
 * Real processes over DynamoDB Local behind a proxy that spoils requests: two API servers, a
 * compactor, publishers, followers and bootstraps; processes are killed and stopped all the while.
 * When the time is up all faults end, everybody catches up, the table is read back, and the history
 * is judged. The seed decides what is tried, not how real processes interleave.
 */
export async function playBlackBox(options: PlayOptions): Promise<Played> {
  const { seed, batch, databaseKills } = options;
  const random = seededRandom(`black box ${seed}`);
  const folder = await mkdtemp(join(tmpdir(), "eventledger-blackbox-"));
  const onDisk = databaseKills > 0;
  const database = await startDatabase(onDisk ? folder : undefined);
  const proxy = await startFaultProxy(database.endpoint, random.fork("proxy"));
  // Nothing is spoiled yet; and through the proxy the database stays where it is.
  const client = new DynamoDBClient(localAws(proxy.endpoint));
  await ensureTable(client, TABLE);
  const env = { DYNAMODB_ENDPOINT: proxy.endpoint, TABLE_NAME: TABLE, KEYS: BOX_KEY };
  const servers = await Promise.all(["api-0", "api-1"].map((name) => startKillable(name, env)));
  const compactor = await startKillable("compactor", { ...env, COMPACTOR: "1" });
  const killables = [...servers, compactor];
  try {
    const box = createBox({ seed, random, servers, batch, singlePuts: onDisk });
    const { world } = box;
    await createStream(world, random);
    const followers = [
      newFollower("follower-0", "earliest"),
      newFollower("follower-1", "earliest"),
    ];
    const disturb = () => disturbProcesses(world, random.fork("nemesis"), killables);
    await runUnderFaults(options, box, { proxy, database, followers, disturb });
    const catchUpMs = await recover(world, followers);
    const truth = await readBack(client, TABLE, STREAM, performance.now());
    return { ...judge(box, truth), catchUpMs, counts: countsOf(world, proxy) };
  } finally {
    for (const killable of killables) killable.stop();
    await proxy.stop();
    client.destroy();
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A history of more lines than this no longer fits a small machine together with its checker. */
const LINES_MAX = 2_000_000;

type Scene = {
  readonly proxy: FaultProxy;
  readonly database: Database;
  readonly followers: readonly Follower[];
  disturb(): Promise<void>;
};

/** Everybody at work until the time is up and the last kill is done. Then there are no more faults. */
async function runUnderFaults(
  { seconds, publishers, rate, intensity, databaseKills, onProgress = () => {} }: PlayOptions,
  { world, published, end }: Box,
  { proxy, database, followers, disturb }: Scene,
): Promise<void> {
  const { random, recorder } = world;
  const beganMs = performance.now();
  const elapsed = () => (performance.now() - beganMs) / 1_000;
  const progress = setInterval(() => onProgress(progressOf(world, proxy, elapsed())), 10_000);
  const publish = async (name: string): Promise<void> => {
    while (published() > rate * elapsed()) await world.sleep(20);
    await runPublisher(world, name);
  };
  proxy.setIntensity(intensity);
  const disturbing = disturb();
  let killed = databaseKills === 0;
  const killing = killDatabase(world, random.fork("database"), database, databaseKills).then(() => {
    killed = true;
  });
  const goesOn = () => (!killed || elapsed() < seconds) && recorder.lines.length < LINES_MAX;
  const until = async (work: (round: number) => Promise<unknown>): Promise<void> => {
    for (let round = 0; goesOn(); round++) await work(round);
  };
  await Promise.all([
    ...range(publishers).map((index) => until((round) => publish(`publisher-${index}.${round}`))),
    ...followers.map((follower) => until(() => follow(world, follower, 20))),
    ...range(2).map((index) => until((round) => bootstrapOnce(world, `${index}.${round}`))),
    until(() => browse(world, "browser", 10)),
    until(() => compactOnce(world, "client", random).then(() => world.sleep(5_000))),
    killing,
  ]);
  clearInterval(progress);
  end();
  await disturbing;
  proxy.setIntensity(0);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A new subscriber takes the whole state and follows until it has caught up, under all the churn. */
async function bootstrapOnce(world: ClientWorld, name: string): Promise<void> {
  const follower: Follower = newFollower(`bootstrap-${name}`, "bootstrap");
  if (await catchUp(world, follower, 60)) world.recorder.count("bootstrap.caught-up");
  await world.sleep(2_000);
}

/** Everybody catches up and says so, twice; gives how long the first time took. */
async function recover(world: ClientWorld, followers: readonly Follower[]): Promise<number> {
  const healedMs = performance.now();
  const everybody = async (): Promise<void> => {
    await compactOnce(world, "last-compactor", world.random);
    const caughtUp = await Promise.all(followers.map((each) => catchUp(world, each, 5_000)));
    if (caughtUp.includes(false)) world.fail("internal: a reader never catches up");
  };
  await everybody();
  const catchUpMs = performance.now() - healedMs;
  if (catchUpMs > RECOVERY_MS) world.fail(`internal: catching up takes ${catchUpMs} ms`);
  world.recorder.note({ op: "healed" });
  await everybody();
  await browse(world, "last-browser", 20);
  return catchUpMs;
}

/** The history with what the table holds, and what is wrong with it. */
function judge({ world, failures }: Box, truth: readonly Line[]) {
  const { lines } = world.recorder;
  const isBatch = (line: Line) => line.type === "info" && line.op === "batch";
  const batches = truth.filter(isBatch);
  const history = [...batches, ...lines, ...truth.filter((line) => !isBatch(line))];
  const odd = failures.map((detail) => ({
    ...{ name: "internal-error" as const, detail, atMs: performance.now() },
  }));
  const violations = [
    ...checkHistory(history, { retentionMs: 24 * 3_600_000, skewMs: 60_000 }),
    ...odd,
  ];
  const events = batches.reduce(
    (sum, line) => sum + (line.type === "info" && line.op === "batch" ? line.events.length : 0),
    0,
  );
  return { history, violations, events };
}

function countsOf(world: ClientWorld, proxy: FaultProxy): Record<string, number> {
  const faults = Object.entries(proxy.counts).map(([name, of]) => [`proxy.${name}`, of] as const);
  return Object.fromEntries(
    [...world.recorder.counts, ...faults].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function progressOf({ recorder }: ClientWorld, { counts }: FaultProxy, seconds: number): string {
  const count = (name: string) => recorder.counts.get(name) ?? 0;
  const { requests, ...faults } = counts;
  const injected = Object.values(faults).reduce((sum, of) => sum + of, 0);
  return [
    `${seconds.toFixed(0)} s: ${count("publish.ok")} publishes, ${count("read.ok")} pages`,
    `${count("bootstrap.caught-up")} bootstraps, ${requests} database requests`,
    `${injected} faults, ${count("nemesis.kill.database")} database kills`,
  ].join(", ");
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createCursors } from "../../packages/core/src/cursor/cursor.ts";
import { checkHistory } from "../history/check.ts";
import type { Line, Violation } from "../history/history.ts";
import { type SeededRandom, seededRandom } from "../model/fake/seeded-random.ts";
import { compactOnce, createStream, runPublisher } from "../sim/clients.ts";
import { drawPlan, type Plan } from "../sim/plan.ts";
import { browse, catchUp, type Follower, follow, newFollower } from "../sim/readers.ts";
import { createRecorder } from "../sim/recorder.ts";
import { type Api, type ClientWorld, STREAM } from "../sim/world.ts";
import { startDynamo } from "../stack/dynamo.ts";
import { localAws } from "../stack/local-aws.ts";
import { ensureTable } from "../stack/table.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import { createHttpLedger } from "./http-ledger.ts";
import { type Killable, startKillable } from "./killable.ts";
import { readBack } from "./read-back.ts";

const TABLE = "blackbox";
const KEYS = "a-key-for-the-black-box-only";

export type Played = {
  readonly violations: readonly Violation[];
  readonly history: readonly Line[];
  readonly counts: Readonly<Record<string, number>>;
  readonly events: number;
  readonly catchUpMs: number;
};

export type PlayOptions = {
  readonly seed: string;
  readonly seconds: number;
  readonly publishers: number;
  readonly intensity: number;
  readonly onProgress?: (line: string) => void;
};

/**
 * Real processes over DynamoDB Local behind a proxy that spoils requests: two API servers, a
 * compactor, publishers, followers and bootstraps; processes are killed and stopped all the while.
 * When the time is up all faults end, everybody catches up, the table is read back, and the history
 * is judged. The seed decides what is tried, not how real processes interleave.
 */
export async function playBlackBox(options: PlayOptions): Promise<Played> {
  const { seed, seconds, intensity, onProgress = () => {} } = options;
  const random = seededRandom(`black box ${seed}`);
  const folder = await mkdtemp(join(tmpdir(), "eventledger-blackbox-"));
  const dynamo = await startDynamo();
  const client = new DynamoDBClient(localAws(dynamo.endpoint));
  await ensureTable(client, TABLE);
  const proxy = await startFaultProxy(dynamo.endpoint, random.fork("proxy"));
  const env = { DYNAMODB_ENDPOINT: proxy.endpoint, TABLE_NAME: TABLE, KEYS };
  const servers = await Promise.all(["api-0", "api-1"].map((name) => startKillable(name, env)));
  const compactor = await startKillable("compactor", { ...env, COMPACTOR: "1" });
  const killables = [...servers, compactor];
  try {
    const box = createBox(options, random, servers);
    const { world } = box;
    await createStream(world, random);
    proxy.setIntensity(intensity);
    const endMs = performance.now() + seconds * 1_000;
    const nemesis = runNemesis(world, random.fork("nemesis"), killables, () => box.over);
    const followers = [
      newFollower("follower-0", "earliest"),
      newFollower("follower-1", "earliest"),
    ];
    const until = (work: (round: number) => Promise<unknown>) =>
      repeat(work, () => performance.now() < endMs && world.recorder.lines.length < LINES_MAX);
    const progress = setInterval(() => onProgress(progressOf(world, proxy.counts)), 10_000);
    await Promise.all([
      ...range(options.publishers).map((index) =>
        until((round) => runPublisher(world, `publisher-${index}.${round}`)),
      ),
      ...followers.map((follower) => until(() => follow(world, follower, 20))),
      ...range(2).map((index) => until((round) => bootstrapOnce(world, `${index}.${round}`))),
      until(() => browse(world, "browser", 10)),
      until(() => compactOnce(world, "client", random).then(() => world.sleep(1_000))),
    ]);
    clearInterval(progress);
    box.over = true;
    await nemesis;
    proxy.setIntensity(0);
    const healedMs = performance.now();
    const everybody = async (): Promise<void> => {
      await compactOnce(world, "last-compactor", random);
      const caughtUp = await Promise.all(followers.map((each) => catchUp(world, each, 5_000)));
      if (caughtUp.includes(false)) world.fail("internal: a reader never catches up");
    };
    await everybody();
    const catchUpMs = performance.now() - healedMs;
    world.recorder.note({ op: "healed" });
    await everybody();
    await browse(world, "last-browser", 20);
    const { lines, counts } = world.recorder;
    const truth = await readBack(client, TABLE, STREAM, performance.now());
    const history = [
      ...truth.filter((line) => line.type === "info" && line.op === "batch"),
      ...lines,
    ];
    history.push(...truth.filter((line) => line.type === "info" && line.op === "compacted"));
    const failures = box.failures.map((detail) => ({
      ...{ name: "internal-error" as const, detail, atMs: performance.now() },
    }));
    const violations = [
      ...checkHistory(history, { retentionMs: 24 * 3_600_000, skewMs: 60_000 }),
      ...failures,
    ];
    const faults = Object.entries(proxy.counts).map(([name, of]) => [`proxy.${name}`, of] as const);
    const events = truth.reduce(
      (sum, line) => sum + (line.type === "info" && line.op === "batch" ? line.events.length : 0),
      0,
    );
    return {
      ...{ violations, history, events, catchUpMs },
      counts: Object.fromEntries([...counts, ...faults].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  } finally {
    for (const killable of killables) killable.stop();
    await proxy.stop();
    client.destroy();
    await dynamo.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A history of more lines than this no longer fits a small machine together with its checker. */
const LINES_MAX = 2_000_000;

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function createBox({ seed }: PlayOptions, random: SeededRandom, servers: readonly Killable[]) {
  const recorder = createRecorder(() => performance.now());
  const cursors = createCursors([{ id: 1, secret: Buffer.from(KEYS) }]);
  const apis = servers.map(
    ({ name, url }) => ({ name, ledger: createHttpLedger(url, KEYS) }) as unknown as Api,
  );
  const plan: Plan = {
    ...drawPlan(seededRandom(seed)),
    ...{ partitions: 4, retentionHours: 24, keys: 200, requests: 20, keyed: 0.4, burst: 120 },
    ...{ tombstones: 0.15, crashes: 0.05, seeks: 0, polls: 20, skewMs: 0, deletes: 0 },
    ...{ publishPaceMs: [1, 5, 20], readPaceMs: [1, 10, 100], pageLimits: [50, 500, 1_000] },
  };
  const failures: string[] = [];
  let events = 0;
  const box = { over: false, failures, world: undefined as unknown as ClientWorld };
  box.world = {
    ...{ plan, random, recorder },
    time: { nowMs: () => performance.now() },
    tap: { liveUid: () => undefined, takeTouched: () => [] },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    anyApi: (chance) => chance.pick(apis),
    call: ({ ledger }, run) => run(ledger),
    nextEvent: () => ++events,
    isOver: () => box.over,
    fail: (what) => failures.push(what),
    readCursor: cursors.parse,
  };
  return box;
}

async function repeat(
  work: (round: number) => Promise<unknown>,
  goesOn: () => boolean,
): Promise<void> {
  for (let round = 0; goesOn(); round++) await work(round);
}

/** A new subscriber takes the whole state and follows until it has caught up, under all the churn. */
async function bootstrapOnce(world: ClientWorld, name: string): Promise<void> {
  const follower: Follower = newFollower(`bootstrap-${name}`, "bootstrap");
  if (await catchUp(world, follower, 60)) world.recorder.count("bootstrap.caught-up");
}

async function runNemesis(
  world: ClientWorld,
  random: SeededRandom,
  killables: readonly Killable[],
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    await world.sleep(random.between(1_500, 6_000));
    if (isOver()) return;
    const victim = random.pick(killables);
    if (random.chance(0.5)) {
      await victim.kill();
      world.recorder.count(`nemesis.kill.${victim.name}`);
    } else {
      await victim.pause(random.between(500, 8_000));
      world.recorder.count(`nemesis.pause.${victim.name}`);
    }
  }
}

const progressOf = ({ recorder }: ClientWorld, { requests }: Record<string, number>): string =>
  `${recorder.counts.get("publish.ok") ?? 0} publishes, ${recorder.counts.get("read.ok") ?? 0} pages, ` +
  `${recorder.counts.get("bootstrap.caught-up") ?? 0} bootstraps, ${requests} database requests`;

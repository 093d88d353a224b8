import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import { localAws } from "../../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../../packages/local/src/table.ts";
import type { SeededRandom } from "../../simulation/dynamodb/seeded-random.ts";
import { createStream } from "../../simulation/world/clients.ts";
import { STREAM } from "../../simulation/world/plan.ts";
import { attempt } from "../../simulation/world/readers.ts";
import { createRecorder } from "../../simulation/world/recorder.ts";
import type { ClientWorld } from "../../simulation/world/world.ts";
import { BOX_KEY, type Box, createBox, LEASE_SECONDS, sharedMs, TEAM } from "./box.ts";
import { type Clients, startClients } from "./clients.ts";
import { type Database, startDatabase } from "./database.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { type Collected, collectFrom } from "./history-file.ts";
import { type Killable, startKillable } from "./killable.ts";
import { type Lives, watchLives } from "./lives.ts";
import type { Stored } from "./read-back.ts";

/** All processes of a run on an existing stream. */
export type Stage = {
  readonly database: Database;
  readonly proxy: FaultProxy;
  /** Two API servers and a compactor. */
  readonly servers: readonly Killable[];
  readonly clients: Clients;
  /** Everything that the client processes have written so far. */
  readonly collected: Collected;
  /** The clients of this process. */
  readonly box: Box;
  /** The violations that this process knows of. */
  readonly failures: readonly string[];
  readonly lives: Lives;
  readonly stored: Stored;
  stop(): Promise<void>;
};

export type StageOptions = {
  readonly seed: string;
  readonly random: SeededRandom;
  /** True if the database keeps its data on disk. */
  readonly onDisk: boolean;
  readonly publishers: number;
  readonly workers: number;
  readonly bootstrappers: number;
  readonly batch: number;
  readonly rate: number;
  /** The number of partitions of the stream. */
  readonly partitions?: number;
};

const TABLE = "blackbox";

export async function setStage(options: StageOptions): Promise<Stage> {
  const { seed, random, onDisk, batch, rate, partitions = 3 } = options;
  const { publishers, workers, bootstrappers } = options;
  const root = await mkdtemp(join(tmpdir(), "eventledger-blackbox-"));
  const [data = "", folder = "", compiled = ""] = ["database", "history", "compiled"].map((name) =>
    join(root, name),
  );
  await mkdir(folder);
  // Processes restart all the time, so compiled code is cached.
  const env = { NODE_COMPILE_CACHE: compiled };
  const failures: string[] = [];
  const fail = (what: string): void => void failures.push(`internal: ${what}`);
  const stops: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.toReversed()) await end();
    await rm(root, { recursive: true, force: true });
  };
  try {
    const database = await startDatabase(onDisk ? data : undefined);
    stops.push(database.stop);
    const proxy = await startFaultProxy(database.endpoint, random.fork("proxy"));
    stops.push(proxy.stop);
    // No request is disturbed yet. The proxy keeps its address when the database restarts.
    const client = new DynamoDBClient(localAws(proxy.endpoint));
    stops.push(() => client.destroy());
    await ensureTable(client, TABLE);
    let clients: Clients | undefined;
    const servers = await startServers(
      { ...env, DYNAMODB_ENDPOINT: proxy.endpoint },
      () => clients?.tellUrls(),
      fail,
    );
    stops.push(() => servers.map((server) => server.stop()));
    const urls = () => servers.flatMap(({ url }) => (url() === "" ? [] : [url()]));
    const given = { seed, batch, singlePuts: onDisk && database.losesTransactions, urls };
    const recorder = createRecorder(sharedMs);
    const silent = { events: 0, keep: () => {}, fail };
    const box = createBox({ ...given, ...silent, partitions, random, recorder });
    await createStream(box.world, random);
    if (workers > 0) await createTeam(box.world, random);
    const lives = watchLives(client, TABLE, STREAM);
    await lives.look();
    const counts = { publishers, workers, bootstrappers };
    clients = await startClients({ ...given, ...counts, env, rate, folder, onEnd: fail });
    stops.push(() => clients?.all.map((each) => each.stop()));
    const stored = { client, tableName: TABLE, stream: STREAM };
    const collected = collectFrom(folder);
    return {
      database,
      proxy,
      servers,
      clients,
      collected,
      box,
      failures,
      lives,
      stored,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Creates the subscription of the workers. */
async function createTeam(world: ClientWorld, random: SeededRandom): Promise<void> {
  const config = { name: TEAM, start: "earliest", leaseSeconds: LEASE_SECONDS } as const;
  const create = () =>
    world.call(world.anyApi(random), (ledger) =>
      ledger.createSubscription(defaultTenant, STREAM, config),
    );
  while ((await attempt(world, "team.subscribe", create)) === undefined) await world.sleep(200);
}

/** Starts the servers. `onStart` is called each time one of them has started again. */
function startServers(
  env: NodeJS.ProcessEnv,
  onStart: () => void,
  onEnd: (what: string) => void,
): Promise<Killable[]> {
  const common = { ...env, TABLE_NAME: TABLE, KEYS: BOX_KEY };
  const start = (name: string, more: NodeJS.ProcessEnv = {}) =>
    startKillable({
      name,
      program: "api-process.ts",
      onStart,
      onEnd,
      env: () => ({ ...common, ...more }),
    });
  return Promise.all([start("api-0"), start("api-1"), start("compactor", { COMPACTOR: "1" })]);
}

import { createLog, type Log } from "../../../../packages/core/src/log/log.ts";
import { defaultTenant } from "../../../../packages/core/src/model/names.ts";
import type { LiveStream } from "../../../../packages/core/src/stream/live-streams.ts";
import { createStreams } from "../../../../packages/core/src/stream/streams.ts";
import type { Connection } from "../../../../packages/core/src/table/connection.ts";
import { createTable, type Table } from "../../../../packages/core/src/table/table.ts";
import {
  createFakeDynamo,
  type FakeDynamo,
  type FakeDynamoOptions,
} from "../../dynamodb/fake-dynamodb.ts";
import { type SeededRandom, seededRandom } from "../../dynamodb/seeded-random.ts";
import {
  createVirtualTime,
  type ProcessOptions,
  type VirtualProcess,
  type VirtualTime,
} from "../../dynamodb/virtual-clock.ts";

const TABLE = "simulated";
export const STREAM = "orders";

/** The real log of one simulated process. */
export type LogProcess = {
  readonly process: VirtualProcess;
  readonly table: Table;
  readonly log: Log;
  readonly streams: ReturnType<typeof createStreams>;
  /** Returns the stream as this process knows it, which may be a few seconds old. */
  recall(): Promise<LiveStream>;
  /** Returns the current stream. */
  load(): Promise<LiveStream>;
  /** From now on the store answers every request of this process with an error of that name. */
  refuse(errorName: string): void;
};

export type SimulatedLog = {
  readonly random: SeededRandom;
  readonly time: VirtualTime;
  readonly store: FakeDynamo;
  /** Starts a process with its own log, caches and clocks. */
  start(name: string, options?: ProcessOptions): LogProcess;
  createStream(by: LogProcess, partitions: number, retentionHours?: number): Promise<void>;
};

/**
 * The real log on a fake table in virtual time, with any number of processes. A run depends only on
 * the seed.
 */
export function simulateLog(
  seed: number | string,
  options: Partial<FakeDynamoOptions> & { readonly startMs?: number } = {},
): SimulatedLog {
  const random = seededRandom(seed);
  const time = createVirtualTime(random.fork("time"), options.startMs);
  const store = createFakeDynamo({
    latencyMs: (chance) => 1 + chance.fraction() * 8,
    timeoutMs: 2_000,
    commitMs: 4,
    scanMs: 4,
    staleMs: 500,
    ...options,
    tableName: TABLE,
    seed,
    time,
  });
  return {
    random,
    time,
    store,
    start: (name, processOptions) => {
      const process = time.process(name, processOptions);
      const chance = random.fork(name);
      const real = store.client(process);
      let refusal: string | undefined;
      const send: typeof real.send = async (...request) => {
        if (refusal !== undefined) throw Object.assign(new Error(refusal), { name: refusal });
        return real.send(...request);
      };
      // ElectroDB needs only the `send` of a client, which the fake provides.
      const client = { send } as unknown as Connection["client"];
      const { clock } = process;
      const table = createTable({ client, table: TABLE, clock, random: chance });
      const log = createLog({ table, clock, random: chance });
      const { seal: sealPartition, bringOn, assertMayTurn } = log;
      const deps = { table, clock, random: chance, sealPartition, bringOn, assertMayTurn };
      const streams = createStreams(deps);
      const load = () => streams.load(defaultTenant, STREAM);
      const recall = () => streams.use(defaultTenant, STREAM, async (stream) => stream);
      const refuse = (errorName: string) => {
        refusal = errorName;
      };
      return { process, table, log, streams, recall, load, refuse };
    },
    createStream: async ({ streams }, partitions, retentionHours = 360) => {
      const config = {
        name: STREAM,
        description: "",
        compaction: "key",
        archiveDays: null,
      } as const;
      await streams.create(defaultTenant, { ...config, partitions, retentionHours });
    },
  };
}

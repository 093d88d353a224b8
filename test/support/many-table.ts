import { once } from "node:events";
import { createLedger, type Ledger } from "../../packages/core/src/index.ts";
import { createFakeDynamo } from "../simulation/dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../simulation/dynamodb/seeded-random.ts";

/**
 * What a piece of work costs: requests, capacity units, and waves. Requests that are under way at
 * the same time are one wave, so the time of the work is that of its waves.
 */
export type Counted = {
  readonly requests: number;
  readonly waves: number;
  readonly read: number;
  readonly write: number;
};

type Client = { send(command: object, options?: object): Promise<unknown> };

const MINUTE_MS = 60_000;

/**
 * Creates a simulated table that counts, with a clock that moves by hand. It begins with a minute,
 * so what is counted by the minute does not depend on when a test runs.
 */
export function createManyTable() {
  const startedAt = Date.now() - (Date.now() % MINUTE_MS);
  let passedMs = 0;
  const nowMs = () => startedAt + Math.floor(passedMs);
  const fake = createFakeDynamo({ tableName: "many", nowMs });
  const inner = fake.client() as Client;
  let [requests, waves] = [0, 0];
  let wave: Promise<void> | undefined;
  const client: Client = {
    async send(command, options) {
      requests++;
      wave ??= new Promise((resolve) =>
        setImmediate(() => {
          waves++;
          wave = undefined;
          resolve();
        }),
      );
      await wave;
      return inner.send(command, options);
    },
  };
  const monotonic = () => {
    passedMs += 0.01;
    return passedMs;
  };
  const clock = {
    now: nowMs,
    monotonic,
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (signal === undefined) passedMs += ms;
      else await once(signal, "abort");
    },
  };
  const now = () => ({
    requests,
    waves,
    read: fake.tally.get("capacity.read"),
    write: fake.tally.get("capacity.write"),
  });
  const random = seededRandom("many");
  return {
    /** The same table, without the rules of the ledger and without the counts. */
    connection: { client: inner as never, table: "many", clock, random },
    nowMs,
    /** Opens the ledger as a process that knows nothing does. */
    open: (): Ledger =>
      createLedger({
        client: client as never,
        tableName: "many",
        clock,
        random,
        cursorKeys: [{ id: 1, secret: Buffer.from("many") }],
      }),
    pass(ms: number): void {
      passedMs += ms;
    },
    async count(work: () => Promise<unknown>): Promise<Counted> {
      const before = now();
      await work();
      const after = now();
      return {
        requests: after.requests - before.requests,
        waves: after.waves - before.waves,
        read: after.read - before.read,
        write: after.write - before.write,
      };
    },
  };
}

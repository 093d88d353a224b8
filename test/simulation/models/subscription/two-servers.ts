import {
  createLedger,
  defaultTenant,
  type Ledger,
  type RawJson,
} from "../../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import { createVirtualTime } from "../../dynamodb/virtual-clock.ts";

export const OF = [defaultTenant, "orders"] as const;
export const SUB = "s";
export const HOUR_MS = 3_600_000;

/** Opens two processes that share only the table, and a clock that the scenario controls. */
export function openServers() {
  const random = seededRandom(1);
  const time = createVirtualTime(random.fork("time"));
  const store = createFakeDynamo({ tableName: "memory", seed: 1, time });
  /** The processes that have parked a key, each time. */
  const parkedBy: string[] = [];
  let slow: { readonly asks: RegExp; readonly until: Promise<void> } | undefined;
  const [here, there] = ["here", "there"].map((name) => {
    const process = time.process(name);
    const { send } = store.client(process);
    const client = {
      send: async (command: Parameters<typeof send>[0]) => {
        const answer = await send(command);
        const { asks, until } = slow ?? {};
        const asked = `${command.constructor.name} ${JSON.stringify(command.input)}`;
        if (asks?.test(asked) !== true) return answer;
        slow = undefined;
        await until;
        return answer;
      },
    };
    return createLedger({
      client: client as never,
      tableName: "memory",
      clock: process.clock,
      random: random.fork(name),
      cursorKeys: [{ id: 1, secret: Buffer.from("model") }],
      observeParked: () => parkedBy.push(name),
    });
  });
  if (here === undefined || there === undefined) throw new Error("there are two servers");
  /** Holds the next answer to such a request until the returned function is called. */
  function holdAnswer(asks: RegExp): () => void {
    const { promise: until, resolve } = Promise.withResolvers<void>();
    slow = { asks, until };
    return resolve;
  }
  return { here, there, time, store, parkedBy, holdAnswer, driver: time.process("driver") };
}

/** Creates a stream that keeps its events for an hour, and a subscription of it. */
export async function subscribe(
  ledger: Ledger,
  config: object = {},
  partitions = 1,
  compaction: "key" | "none" = "key",
): Promise<void> {
  await ledger.createStream(defaultTenant, {
    name: "orders",
    description: "",
    partitions,
    compaction,
    retentionHours: 1,
    archiveDays: null,
  });
  await ledger.createSubscription(...OF, { name: SUB, start: "earliest", ...config });
}

export const event = (key: string, data: number) => ({
  attributes: { key },
  data: String(data) as RawJson,
});

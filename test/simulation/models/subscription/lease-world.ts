import {
  createLedger,
  defaultTenant,
  type Ledger,
  type RawJson,
} from "../../../../packages/core/src/index.ts";
import type { Clock } from "../../../../packages/core/src/kernel/clock.ts";
import { createFakeDynamo, type FakeDynamo } from "../../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import type { Item } from "../../dynamodb/value.ts";

const LEASE_SECONDS = 3;
const OF = [defaultTenant, "orders"] as const;
const SUB = "s";

/** The result of a poll: the sequences of its events, and the cursor after them. */
export type Polled = { readonly sequences: readonly number[]; readonly cursor: string };

/** One server that is called in the name of a worker. */
export type LeaseServer = {
  poll(consumer: string | undefined, after?: string): Promise<Polled>;
  /** Returns "moved", "stale", or the code of the refusal. */
  commit(cursor: string): Promise<string>;
  leave(consumer: string): Promise<void>;
};

/** A subscription of one partition with four events, and servers that share only the table. */
export type LeaseWorld = {
  readonly store: FakeDynamo;
  readonly clock: Clock;
  /** Starts a server. Its clock is ahead by this much, or late if the number is negative. */
  server(name: string, aheadMs?: number): LeaseServer;
  /** Lets time pass until all leases have expired. */
  endLeases(): void;
  /** From now on every request passes `gate`. */
  setGate(gate: (label: string) => Promise<void>): void;
  /** Returns the offset row of the partition. */
  row(): Item;
};

/** Everything happens at once, and time does not move unless the test moves it. */
export async function createLeaseWorld(): Promise<LeaseWorld> {
  const startMs = 1_800_000_000_000;
  let nowMs = startMs;
  let gate = async (_label: string): Promise<void> => {};
  const store = createFakeDynamo({
    tableName: "leases",
    nowMs: () => nowMs,
    gate: (label) => gate(label),
  });
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    sleep: async () => {},
  };
  const open = (name: string, aheadMs = 0): Ledger =>
    createLedger({
      client: store.client() as never,
      tableName: "leases",
      clock: { ...clock, now: () => nowMs + aheadMs },
      random: seededRandom(name),
      cursorKeys: [{ id: 1, secret: Buffer.from("model") }],
    });
  const first = open("first");
  await first.createStream(defaultTenant, {
    name: "orders",
    description: "",
    partitions: 1,
    compaction: "none",
    retentionHours: 360,
    archiveDays: null,
  });
  const config = { name: SUB, start: "earliest", leaseSeconds: LEASE_SECONDS } as const;
  await first.createSubscription(...OF, config);
  const events = [1, 2, 3, 4].map((n) => ({ attributes: { key: "k" }, data: `${n}` as RawJson }));
  await first.publish(...OF, events);
  return {
    store,
    clock,
    server: (name, aheadMs) => serverOf(open(name, aheadMs)),
    endLeases: () => {
      nowMs += LEASE_SECONDS * 1_000 + 1;
    },
    setGate: (to) => {
      gate = to;
    },
    row: () => {
      const item = store.items().find(({ sk }) => String(sk).startsWith("OFFSET#"));
      if (item === undefined) throw new Error("a subscription has an offset row");
      return item;
    },
  };
}

const serverOf = (ledger: Ledger): LeaseServer => ({
  poll: async (consumer, after) => {
    const page = await ledger.poll(...OF, SUB, { limit: 2, consumer, after });
    return { sequences: page.events.map(({ sequence }) => sequence), cursor: page.cursor };
  },
  commit: async (cursor) => {
    try {
      return (await ledger.commit(...OF, SUB, cursor)).stale ? "stale" : "moved";
    } catch (error) {
      if (error instanceof Error && "code" in error) return String(error.code);
      throw error;
    }
  },
  leave: async (consumer) => {
    await ledger.leave(...OF, SUB, consumer);
  },
});

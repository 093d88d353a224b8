import { once } from "node:events";
import {
  createLedger,
  defaultTenant,
  type IncomingEvent,
  type Ledger,
  type LedgerDeps,
  type RawJson,
} from "../packages/core/src/index.ts";
import { itemBytes } from "../test/simulation/dynamodb/item-size.ts";
import { seededRandom } from "../test/simulation/dynamodb/seeded-random.ts";
import type { Item } from "../test/simulation/dynamodb/value.ts";
import { orderEvents } from "../test/support/order-events.ts";

/** A table, and a function that measures the reads of it. */
export type Store = {
  readonly client: LedgerDeps["client"];
  readonly tableName: string;
  /** Shows every item. A million of them would not fit into memory twice. */
  visitItems(visit: (item: Item) => void): Promise<void>;
  /** Returns the read capacity units of a piece of work. */
  measureRead(work: () => Promise<void>): Promise<number>;
};

export type Load = {
  /** The number of live keys when the bootstrap begins. */
  readonly keys: number;
  /** The number of compacted events of each key. */
  readonly eventsPerKey: number;
  /** The number of events that are not compacted when the bootstrap begins. */
  readonly tail: number;
  /** The number of orders in each event. An order has about 300 bytes. */
  readonly orders: number;
};

/** The minimum that a bootstrap has to read: the stored items, including names and keys. */
export type Filled = {
  readonly ledger: Ledger;
  readonly keys: number;
  readonly events: number;
  readonly liveBytes: number;
  readonly tailBytes: number;
  /** The size of the data and attributes of the live events before they are packed. */
  readonly liveRawBytes: number;
};

export type Bootstrapped = {
  readonly limit: number;
  readonly commits: boolean;
  readonly polls: number;
  readonly readBytes: number;
  readonly ratio: number;
  /**
   * The bytes that each poll reads in addition to the state and the tail: rows read again, and
   * units that are not full.
   */
  readonly overheadBytesPerPoll: number;
};

const STREAM = "orders";
const PARTITIONS = 4;
const BATCH_EVENTS = 1_000;
/** The number of keys that change at about the same time. */
const GROUP_KEYS = 500;
const CONSISTENT_UNIT_BYTES = 4_096;

/** Publishes and compacts a load. The tail is published after the last checkpoint. */
export async function fillStream(store: Store, load: Load): Promise<Filled> {
  const ledger = openLedger(store);
  await ledger.createStream(defaultTenant, {
    name: STREAM,
    partitions: PARTITIONS,
    compaction: "key",
    description: "",
    retentionHours: 1,
    archiveDays: null,
  });
  let events = 0;
  for (let key = 0; key < load.keys; key += GROUP_KEYS) {
    const group = makeOrders(Math.min(GROUP_KEYS, load.keys - key), key, load.orders);
    for (let turn = 0; turn < load.eventsPerKey; turn++) {
      await publish(
        ledger,
        group.map((order) => order(turn)),
      );
      events += group.length;
    }
    if ((key / GROUP_KEYS) % 20 === 19) await compact(ledger);
  }
  await compact(ledger);
  const compacted = await measureItems(store);
  const tail = makeOrders(Math.min(load.tail, load.keys), 0, load.orders);
  await publish(
    ledger,
    tail.map((order) => order(-1)),
  );
  const { keys, liveBytes, liveRawBytes } = compacted;
  const tailBytes = (await measureItems(store)).batchBytes - compacted.batchBytes;
  return { ledger, keys, events: events + tail.length, liveBytes, tailBytes, liveRawBytes };
}

/** Counts the keys that are not deleted, and the bytes of their rows and of the batches. */
async function measureItems(store: Store) {
  const sum = { keys: 0, liveBytes: 0, liveRawBytes: 0, batchBytes: 0 };
  await store.visitItems((item) => {
    const { pk, sk, x, r } = item;
    if (String(sk).startsWith("SEQ#")) sum.batchBytes += itemBytes(item);
    if (!String(pk).includes("#COMPACT#") || x === true) return;
    sum.keys += 1;
    sum.liveBytes += itemBytes(item);
    sum.liveRawBytes += Number(r);
  });
  return sum;
}

/** Bootstraps a new subscription to the end. Returns what the reads consumed. */
export async function measureBootstrap(
  store: Store,
  { ledger, keys, liveBytes, tailBytes }: Filled,
  { limit, commits }: Pick<Bootstrapped, "limit" | "commits">,
): Promise<Bootstrapped> {
  const name = `new-${limit}-${commits}`;
  await ledger.createSubscription(defaultTenant, STREAM, { name, start: "bootstrap" });
  const view = new Set<string>();
  let polls = 0;
  const units = await store.measureRead(async () => {
    for (let after: string | undefined; ; ) {
      const page = await ledger.poll(defaultTenant, STREAM, name, {
        limit,
        ...(after === undefined || commits ? {} : { after }),
      });
      polls++;
      for (const { key } of page.events) view.add(key);
      if (commits) await ledger.commit(defaultTenant, STREAM, name, page.cursor);
      after = page.cursor;
      if (page.consistent && page.caughtUp) return;
    }
  });
  if (view.size !== keys) throw new Error(`${view.size} keys were received instead of ${keys}`);
  const readBytes = units * CONSISTENT_UNIT_BYTES;
  const least = liveBytes + tailBytes;
  const ratio = Math.round((readBytes / least) * 1_000) / 1_000;
  const overheadBytesPerPoll = Math.round((readBytes - least) / polls);
  return { limit, commits, polls, readBytes, ratio, overheadBytesPerPoll };
}

/** Opens a ledger whose clock advances with each call, so that every run is the same. */
export function openLedger({ client, tableName }: Store): Ledger {
  let passedMs = 0;
  const startedAt = Date.now();
  const monotonic = () => {
    passedMs += 0.5;
    return passedMs;
  };
  return createLedger({
    client,
    tableName,
    clock: {
      now: () => startedAt + Math.floor(monotonic()),
      monotonic,
      sleep: async (ms, signal) => {
        if (signal === undefined) passedMs += ms;
        else await once(signal, "abort");
      },
    },
    random: seededRandom("bootstrap"),
    cursorKeys: [{ id: 1, secret: Buffer.from("bench") }],
  });
}

async function publish(ledger: Ledger, events: readonly IncomingEvent[]): Promise<void> {
  for (let at = 0; at < events.length; at += BATCH_EVENTS) {
    await ledger.publish(defaultTenant, STREAM, events.slice(at, at + BATCH_EVENTS));
  }
}

async function compact(ledger: Ledger): Promise<void> {
  while (!(await ledger.compact(defaultTenant, STREAM)).done);
}

/** Returns, for each key, a function that creates its event of a given round. */
function makeOrders(count: number, first: number, orders: number) {
  const made = orderEvents(count * orders, first);
  return Array.from({ length: count }, (_, index) => {
    const own = made.slice(index * orders, (index + 1) * orders);
    const type = own[0]?.type ?? "order.placed";
    const text = JSON.stringify(own.map(({ data }) => data));
    return (turn: number): IncomingEvent => ({
      attributes: { key: `order-${4_000_000 + first + index}`, type },
      data: `{"turn":${turn},"orders":${text}}` as RawJson,
    });
  });
}

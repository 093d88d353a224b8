import { defaultTenant, type IncomingEvent, type RawJson } from "../../packages/core/src/index.ts";
import { createFakeDynamo } from "../../test/simulation/dynamodb/fake-dynamodb.ts";
import { closedLoop, openLoop } from "../../test/simulation/models/log/lambda-shape.ts";
import { orderEvents } from "../../test/support/order-events.ts";
import { fillStream, measureBootstrap, openLedger, type Store } from "../bootstrap-load.ts";

export type CountedSizes = {
  /** The numbers of events at which each operation is measured. */
  readonly growth: readonly number[];
  readonly bootstraps: readonly { readonly keys: number; readonly eventsPerKey: number }[];
  readonly writers: readonly number[];
  /** The rates of randomly arriving publishes, per second. */
  readonly arrivals: readonly number[];
  /** The simulated time of each case of contention. */
  readonly seconds: number;
};

/** What an operation costs: requests to the table, and capacity units. */
export type Cost = { readonly requests: number; readonly read: number; readonly write: number };

export type Operation = "publish" | "publishHundred" | "poll" | "idlePoll" | "commit" | "lookup";

export type Counted = {
  readonly growth: readonly ({ readonly events: number } & Readonly<Record<Operation, Cost>>)[];
  readonly bootstraps: readonly {
    readonly keys: number;
    readonly events: number;
    readonly polls: number;
    readonly readUnits: number;
    /** The bytes that were read, for each byte of the current state. */
    readonly ratio: number;
  }[];
  /** Writers that publish one event after another, or publishes that arrive at random. */
  readonly contention: readonly Contended[];
};

export type Contended = {
  readonly writers: number | null;
  readonly arrivals: number | null;
  readonly perSecond: number;
  readonly putsPerAppend: number;
  readonly p50: number;
  readonly p99: number;
};

const UNIT_BYTES = 4_096;

/**
 * Counts requests and capacity units on the simulated table. Nothing here depends on the machine:
 * the times of the contention are those of a virtual clock.
 */
export async function countAll(sizes: CountedSizes, say: (line: string) => void): Promise<Counted> {
  const growth = await countGrowth(sizes.growth, say);
  const bootstraps: Counted["bootstraps"][number][] = [];
  for (const load of sizes.bootstraps) bootstraps.push(await countBootstrap(load, say));
  const contention: Contended[] = [];
  for (const writers of sizes.writers) {
    const { perSecond, putsPerAppend, p50, p99 } = await closedLoop(writers, sizes.seconds);
    contention.push({ writers, arrivals: null, perSecond, putsPerAppend, p50, p99 });
    say(`${writers} writers: ${perSecond}/s, ${putsPerAppend} puts per append`);
  }
  for (const arrivals of sizes.arrivals) {
    const { perSecond, putsPerAppend, p50, p99 } = await openLoop(arrivals, sizes.seconds);
    contention.push({ writers: null, arrivals, perSecond, putsPerAppend, p50, p99 });
    say(`${arrivals} publishes a second: p99 ${p99} ms, ${putsPerAppend} puts per append`);
  }
  return { growth, bootstraps, contention };
}

/** Bootstraps a subscription in pages of 1,000, with a commit for each. */
export async function countBootstrap(
  { keys, eventsPerKey }: CountedSizes["bootstraps"][number],
  say: (line: string) => void,
): Promise<Counted["bootstraps"][number]> {
  const { store } = openStore();
  const filled = await fillStream(store, { keys, eventsPerKey, tail: 0, orders: 1 });
  const way = { limit: 1_000, commits: true };
  const { polls, readBytes, ratio } = await measureBootstrap(store, filled, way);
  const readUnits = readBytes / UNIT_BYTES;
  say(`bootstrap of ${keys} keys after ${filled.events} events: ${readUnits} read units`);
  return { keys, events: filled.events, polls, readUnits, ratio };
}

function openStore() {
  const nowMs = Date.now();
  const fake = createFakeDynamo({ tableName: "bench", nowMs: () => nowMs });
  const read = () => fake.tally.get("capacity.read");
  const store: Store = {
    client: fake.client() as Store["client"],
    tableName: "bench",
    visitItems: async (visit) => {
      fake.items((item) => {
        visit(item);
        return false;
      });
    },
    measureRead: async (work) => {
      const before = read();
      await work();
      return read() - before;
    },
  };
  const count = () => ({
    requests: Object.entries(fake.tally.all())
      .filter(([name]) => name.startsWith("sent."))
      .reduce((sum, [, sent]) => sum + sent, 0),
    read: read(),
    write: fake.tally.get("capacity.write"),
  });
  const measure = async (work: () => Promise<unknown>): Promise<Cost> => {
    const before = count();
    await work();
    const after = count();
    return {
      requests: after.requests - before.requests,
      read: after.read - before.read,
      write: after.write - before.write,
    };
  };
  return { store, measure };
}

const STREAM = "orders";
const FILL = 1_000;

/**
 * Lets one log grow, and measures every operation by itself at each size. The first size is
 * measured twice, because a process knows nothing of a subscription at first.
 */
async function countGrowth(sizes: readonly number[], say: (line: string) => void) {
  const { store, measure } = openStore();
  const ledger = openLedger(store);
  const config = {
    partitions: 1,
    compaction: "key",
    description: "",
    retentionHours: 360,
  } as const;
  await ledger.createStream(defaultTenant, { ...config, name: STREAM, archiveDays: null });
  const events = orderEvents(FILL).map(
    ({ data, ...attributes }): IncomingEvent => ({
      attributes,
      data: JSON.stringify(data) as RawJson,
    }),
  );
  const publish = (count: number) => ledger.publish(defaultTenant, STREAM, events.slice(0, count));
  const subscription = "reader";
  await ledger.createSubscription(defaultTenant, STREAM, { name: subscription, start: "latest" });
  const poll = () => ledger.poll(defaultTenant, STREAM, subscription, { limit: 100 });
  const commit = (cursor: string) => ledger.commit(defaultTenant, STREAM, subscription, cursor);
  const measured: Counted["growth"][number][] = [];
  let length = 0;
  for (const [turn, size] of [...sizes.slice(0, 1), ...sizes].entries()) {
    while (length < size) {
      await publish(Math.min(FILL, size - length));
      length += Math.min(FILL, size - length);
    }
    while (!(await ledger.compact(defaultTenant, STREAM)).done);
    await ledger.seek(defaultTenant, STREAM, subscription, { to: "latest" });
    const publishHundred = await measure(() => publish(100));
    let cursor = "";
    const pollHundred = await measure(async () => {
      ({ cursor } = await poll());
    });
    const costs = {
      publishHundred,
      poll: pollHundred,
      commit: await measure(() => commit(cursor)),
      idlePoll: await measure(poll),
      publish: await measure(() => publish(1)),
      lookup: await measure(() =>
        ledger.browse(defaultTenant, STREAM, { limit: 1, sequence: Math.ceil(size / 2) }),
      ),
    };
    length += 101;
    if (turn === 0) continue;
    measured.push({ events: size, ...costs });
    say(`${size} events: ${JSON.stringify(costs)}`);
  }
  return measured;
}

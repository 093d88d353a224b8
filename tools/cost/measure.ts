import {
  METRICS,
  type MetricName,
  metricOf,
} from "../../packages/functions/src/metrics/catalog.ts";
import { createEmfWriter } from "../../packages/functions/src/metrics/emf.ts";
import { createMetrics } from "../../packages/functions/src/metrics/metrics.ts";
import { printAnswered } from "../../packages/functions/src/metrics/request-log.ts";
import { type ArchiveMeasured, measureArchive } from "./archive.ts";
import { measureEventStream } from "./event-stream.ts";
import { measurePush, type PushMeasured } from "./push.ts";
import { openTable, type Polled, type Shop } from "./shop.ts";
import type { Units } from "./units.ts";

/** The cost of a request of `n` events, and of the work that follows from it. */
export type BatchMeasured = {
  readonly publish: Units;
  /** The publish with an Idempotency-Key. */
  readonly publishKeyed: Units;
  /** The publish when another process was faster: a refused put, another read, and another put. */
  readonly publishLost: Units;
  /** The publish with an expected sequence for each event, of keys that the process wrote last. */
  readonly publishExpected: Units;
  /**
   * The extra read units of a publish with expected sequences, when the process has neither read
   * nor written its keys.
   */
  readonly expectedReads: number;
  readonly storedBytesPerEvent: number;
  readonly compactRun: Units;
  readonly compactEvent: Units;
  /** The transferred bytes per event in a page of this size. */
  readonly answerBytesPerEvent: number;
};

export type Measured = {
  readonly batches: Readonly<Record<1 | 10, BatchMeasured>>;
  /** The cost of a poll that finds nothing, and of one that finds one small batch. */
  readonly idlePoll: Units;
  readonly busyPoll: Units;
  /** The extra cost of a poll that also commits the previous page. */
  readonly commit: Units;
  /** The cost of a poll of a single worker that finds nothing, at one poll a second. */
  readonly workerPoll: Units;
  /**
   * The cost of a sweep for an idle stream with one partition, and of a sweep with no stream but
   * that of the audit.
   */
  readonly sweptStream: Units;
  readonly sweep: Units;
  readonly keyBytes: number;
  /** The stored bytes of an Idempotency-Key. */
  readonly receiptBytes: number;
  readonly answerBytes: number;
  readonly logLineBytes: number;
  readonly metricsLineBytes: number;
  /** The cost of a minute of an event stream without events. */
  readonly eventStreamMinute: Units;
  readonly archive: ArchiveMeasured;
  readonly push: PushMeasured;
};

const ROUNDS = 20;
/** This is long enough for several renewals of a lease. */
const WORKER_SECONDS = 120;

/** Measures on DynamoDB Local, over HTTP. Takes a few seconds. */
export async function measure(endpoint: string): Promise<Measured> {
  const [one, ten] = await Promise.all([measureBatch(endpoint, 1), measureBatch(endpoint, 10)]);
  const { batch: _, ...rest } = ten;
  const archive = await measureArchive(endpoint);
  const push = await measurePush(endpoint);
  const eventStreamMinute = await measureEventStream(endpoint);
  const batches = { 1: one.batch, 10: ten.batch };
  return { batches, ...rest, ...lines(), eventStreamMinute, archive, push };
}

async function measureBatch(endpoint: string, n: number) {
  const table = await openTable(endpoint);
  const [shop, other] = [await table.open(), await table.open()];
  await shop.beginAudit();
  await shop.sweep();
  const nothing = await shop.cost(shop.sweep);
  await shop.create();
  await shop.publish(n);
  const publish = await average(shop, ROUNDS, () => shop.publish(n));
  const log = await table.stored("SEQ#");
  const publishKeyed = await average(shop, ROUNDS, () => shop.publishKeyed(n));
  const receipts = await table.stored("IDEMPOTENCY#");
  const { answerBytesPerEvent, ...polls } = await measurePolls(shop, n);
  await shop.compact();
  const sweptStream = minus(await shop.cost(shop.sweep), nothing);
  const runs = [await measureRun(shop, n, 20), await measureRun(shop, n, 100)] as const;
  const compactEvent = scale(minus(runs[1], runs[0]), 1 / 80);
  const keys = await table.stored("KEY#");

  await other.publish(n);
  const lost = await average(
    shop,
    ROUNDS,
    () => shop.publish(n),
    // The writers meet once in each run. If they met repeatedly, they would take tickets.
    async () => {
      table.pass(1_000);
      await other.publish(n);
    },
  );
  const refused = shop.conflicts() / ROUNDS;
  await catchUp(shop);
  await shop.hire();
  const workerPoll = await average(shop, WORKER_SECONDS, shop.pollAsWorker, async () =>
    table.pass(1_000),
  );
  const { unseen, ...expected } = await measureExpected(shop, await table.open(), n);
  for (const process of [shop, other]) await process.close();
  table.close();
  return {
    batch: {
      publish,
      publishKeyed,
      // DynamoDB charges a refused put by its size, and does not report that.
      publishLost: { read: lost.read, write: round(lost.write + refused * publish.write) },
      publishExpected: expected.publish,
      expectedReads: unseen.read - expected.publish.read,
      storedBytesPerEvent: Math.round(log.bytes / log.rows / n),
      compactRun: minus(runs[0], scale(compactEvent, 20)),
      compactEvent,
      answerBytesPerEvent,
    },
    ...polls,
    workerPoll,
    receiptBytes: Math.round(receipts.bytes / receipts.rows),
    sweptStream,
    sweep: scale(nothing, 1),
    keyBytes: Math.round(keys.bytes / keys.rows),
  };
}

async function measurePolls(shop: Shop, n: number) {
  await catchUp(shop);
  const empty = await shop.poll();
  const idlePoll = await average(shop, ROUNDS, shop.poll);
  let last = empty;
  const keep = async (polling: Promise<Polled>) => {
    last = await polling;
  };
  const busyPoll = await average(
    shop,
    ROUNDS,
    () => keep(shop.poll()),
    async () => {
      await shop.commit(last.cursor);
      await shop.publish(n);
    },
  );
  const both = await average(
    shop,
    ROUNDS,
    () => keep(shop.commitAndPoll(last.cursor)),
    () => shop.publish(n),
  );
  return {
    idlePoll,
    busyPoll,
    commit: minus(both, busyPoll),
    answerBytes: empty.bytes,
    answerBytesPerEvent: Math.round((last.bytes - empty.bytes) / last.events),
  };
}

/** Measures a process that knows its keys, and one that knows the stream but not its keys. */
async function measureExpected(shop: Shop, other: Shop, n: number) {
  await shop.publishExpected(n);
  const publish = await average(shop, ROUNDS, () => shop.publishExpected(n));
  await shop.compact();
  await other.publish(n);
  const unseen = await other.cost(() => other.publishExpected(n));
  await other.close();
  return { publish, unseen };
}

async function catchUp(shop: Shop): Promise<void> {
  for (let page = await shop.poll(); page.events > 0; page = await shop.poll()) {
    await shop.commit(page.cursor);
  }
}

async function measureRun(shop: Shop, n: number, events: number): Promise<Units> {
  for (let published = 0; published < events; published += n) await shop.publish(n);
  return shop.cost(shop.compact);
}

/** The mean of `count` runs of `work`, each after a run of `before` that does not count. */
async function average(
  shop: Shop,
  count: number,
  work: () => Promise<unknown>,
  before: () => Promise<unknown> = async () => {},
): Promise<Units> {
  let sum: Units = { read: 0, write: 0 };
  for (let run = 0; run < count; run++) {
    await before();
    sum = plus(sum, await shop.cost(work));
  }
  return scale(sum, 1 / count);
}

/** Collects the log lines that a request writes. */
function lines() {
  const answered = {
    requestId: "00000000-0000-4000-8000-000000000000",
    method: "POST",
    route: "/streams/:stream/subscriptions/:subscription/commit",
    status: 200,
    ms: 12,
  };
  const metrics = createMetrics();
  for (const name of Object.keys(METRICS) as MetricName[]) {
    if (metricOf(name).ofArchive) continue;
    if (metricOf(name).kind === "gauge") metrics.gauge(name as "CompactionLagSeconds", 60);
    else metrics.count(name as "ReadUnits", 1_000, metricOf(name).label && "TransactWriteItems");
  }
  let metricsLine = "";
  const tableName = "eventledger-production-LedgerTable-abcdefgh";
  const write = (line: string) => {
    metricsLine = line;
  };
  createEmfWriter({ metrics, tableName, write, now: Date.now }).flush();
  return {
    logLineBytes: printAnswered(answered, Date.now()).length,
    metricsLineBytes: metricsLine.length,
  };
}

const plus = (a: Units, b: Units): Units => ({ read: a.read + b.read, write: a.write + b.write });
const minus = (a: Units, b: Units): Units => scale(plus(a, scale(b, -1)), 1);
const scale = ({ read, write }: Units, by: number): Units => ({
  read: round(read * by),
  write: round(write * by),
});
const round = (value: number): number => Math.round(value * 1_000) / 1_000;

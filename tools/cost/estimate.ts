import {
  METRICS,
  type MetricName,
  metricOf,
} from "../../packages/functions/src/metrics/catalog.ts";
import type { Measured } from "./measure.ts";
import { FREE, PRICES } from "./prices.ts";
import { ASSUMED, type Ingress, type Scenario } from "./scenarios.ts";
import type { Units } from "./units.ts";

export type Item = { readonly name: string; readonly dollars: number };

const MILLION = 1e6;
const GB = 1e9;
const SECONDS = ASSUMED.hoursPerMonth * 3_600;

/** The fixed items of a stage: the alarms and the sweeper. */
export const ALARMS = 9;
export const METRICS_SENT = (Object.keys(METRICS) as MetricName[]).filter(
  (name) => !metricOf(name).known && !metricOf(name).logged && !metricOf(name).ofArchive,
).length;

/**
 * Returns the monthly cost of a scenario, item by item, with or without an Idempotency-Key on each
 * publish. Pure.
 */
export function estimate(
  scenario: Scenario,
  n: 1 | 10,
  ingress: Ingress,
  measured: Measured,
  { keyed = true }: { keyed?: boolean } = {},
): readonly Item[] {
  const load = loadOf(scenario, n, measured, keyed);
  const { requests, gbSeconds, units, logBytes } = load;
  const accessBytes = ingress === "HTTP API" ? requests * lineBytes(ASSUMED.accessLogBytes) : 0;
  const logGb = (logBytes + accessBytes) / GB;
  return [
    ...(ingress === "HTTP API"
      ? [{ name: "HTTP API requests", dollars: (requests / MILLION) * PRICES.httpApiMillion }]
      : []),
    {
      name: "Lambda, router: requests",
      dollars: (requests / MILLION) * PRICES.lambdaMillion,
    },
    { name: "Lambda, router: time", dollars: gbSeconds * PRICES.lambdaGbSecondArm },
    { name: "DynamoDB, publishing", dollars: priceOf(units.publishing) },
    { name: "DynamoDB, polling and committing", dollars: priceOf(units.consuming) },
    { name: "DynamoDB, compaction", dollars: priceOf(units.compaction) },
    { name: "DynamoDB, counting requests", dollars: priceOf(units.counting) },
    {
      name: "Lambda, compactor and sweeper",
      dollars:
        ((load.compactorRuns + ASSUMED.hoursPerMonth) / MILLION) * PRICES.lambdaMillion +
        (load.compactorGbSeconds + sweeperGbSeconds()) * PRICES.lambdaGbSecondArm,
    },
    { name: "Storage", dollars: (load.storedBytes / GB) * PRICES.storageGbMonth },
    { name: "Point-in-time recovery", dollars: (load.storedBytes / GB) * PRICES.backupGbMonth },
    {
      name: "Logs",
      dollars: logGb * (PRICES.logsIngestGb + PRICES.logsKeepGbMonth * ASSUMED.logsKeptShare),
    },
    { name: "Metrics", dollars: METRICS_SENT * PRICES.metricMonth },
    { name: "Alarms", dollars: ALARMS * PRICES.alarmMonth },
    { name: "Data transfer out", dollars: (load.sentBytes / GB) * PRICES.transferOutGb },
  ];
}

/** Returns the cost of a stage with one unused stream. */
export function estimateIdle(measured: Measured): readonly Item[] {
  const units = times(plus(measured.sweep, measured.sweptStream), ASSUMED.hoursPerMonth);
  const logGb = (ASSUMED.hoursPerMonth * lineBytes(SWEEP_LINE_BYTES)) / GB;
  return [
    { name: "Alarms", dollars: ALARMS * PRICES.alarmMonth },
    {
      name: "Sweeper",
      dollars:
        priceOf(units) +
        sweeperGbSeconds() * PRICES.lambdaGbSecondArm +
        (ASSUMED.hoursPerMonth / MILLION) * PRICES.lambdaMillion,
    },
    { name: "Logs", dollars: logGb * PRICES.logsIngestGb },
  ];
}

/**
 * Returns the cost of one more subscriber that polls at the assumed pace and finds nothing, or of a
 * single worker that does.
 */
export function estimateSubscriber(
  measured: Measured,
  ingress: Ingress,
  poll: Units = idlePoll(measured),
): number {
  const polls = SECONDS / ASSUMED.pollEverySeconds;
  const lines =
    lineBytes(measured.logLineBytes) +
    (ingress === "HTTP API" ? lineBytes(ASSUMED.accessLogBytes) : 0);
  return (
    (polls / MILLION) *
      (PRICES.lambdaMillion + (ingress === "HTTP API" ? PRICES.httpApiMillion : 0)) +
    polls * (ASSUMED.idlePollMs / 1_000) * ASSUMED.routerGb * PRICES.lambdaGbSecondArm +
    priceOf(plus(times(poll, polls), counting(polls))) +
    ((polls * lines) / GB) * PRICES.logsIngestGb +
    ((polls * (measured.answerBytes + ASSUMED.headersBytes)) / GB) * PRICES.transferOutGb
  );
}

/** Returns the cost of a month of a request that is open all the time. */
export const estimateHeld = (): number => SECONDS * ASSUMED.routerGb * PRICES.lambdaGbSecondArm;

/** Returns the cost of a month of an event stream without events, in connections of a minute. */
export function estimateEventStream({ eventStreamMinute, logLineBytes }: Measured): number {
  const minutes = SECONDS / 60;
  return (
    estimateHeld() +
    (minutes / MILLION) * PRICES.lambdaMillion +
    priceOf(times(eventStreamMinute, minutes)) +
    ((minutes * lineBytes(logLineBytes)) / GB) * PRICES.logsIngestGb +
    ((minutes * (FRAMES_BYTES + ASSUMED.headersBytes)) / GB) * PRICES.transferOutGb
  );
}

/** The size of the frames of a minute: a page without events and four comments with a cursor. */
const FRAMES_BYTES = 2_000;

/** Returns the cost of counting the requests of a key that is in use every minute. */
export const estimateCounting = (): number => priceOf(counting(Number.POSITIVE_INFINITY));

/** Returns the cost of pushing this many events, in runs of so many with a bell for each run. */
export function estimatePush(events: number, eventsInRun: 1 | 100, { push }: Measured): number {
  const runs = events / eventsInRun;
  const deliveryMs = (events * ASSUMED.pushMs) / Math.min(ASSUMED.pushAtOnce, eventsInRun);
  const ms = deliveryMs + runs * (ASSUMED.pushRunMs + ASSUMED.dispatchMs);
  const units = plus(push.ring, eventsInRun === 1 ? push.run1 : push.run100);
  return (
    ((2 * runs) / MILLION) * PRICES.lambdaMillion +
    (ms / 1_000) * ASSUMED.pusherGb * PRICES.lambdaGbSecondArm +
    ((QUEUE_REQUESTS * runs) / MILLION) * PRICES.queueMillion +
    priceOf(times(units, runs))
  );
}

/** A message is sent, received and deleted. */
const QUEUE_REQUESTS = 3;

export const totalOf = (items: readonly Item[]): number =>
  items.reduce((sum, { dollars }) => sum + dollars, 0);

/** Returns the total without the free tier, for an account that uses it for nothing else. */
export const totalBeyondFree = (items: readonly Item[]): number =>
  items.reduce((sum, { name, dollars }) => sum + Math.max(0, dollars - (FREE[name] ?? 0)), 0);

const SWEEP_LINE_BYTES = 250;

/** Returns the number of operations of each kind in a month. */
function loadOf(
  { events, streams, keys }: Scenario,
  n: 1 | 10,
  measured: Measured,
  keyed: boolean,
) {
  const batch = measured.batches[n];
  const subscribers = streams * ASSUMED.subscribersPerStream;
  const publishes = events / n;
  const perStreamSecond = publishes / streams / SECONDS;
  const polls = (subscribers * SECONDS) / ASSUMED.pollEverySeconds;
  const busyPolls = polls * happens(perStreamSecond * ASSUMED.pollEverySeconds);
  const requests = publishes + polls;
  const overlap = perStreamSecond * (ASSUMED.publishMs / 1_000);
  const lost = Math.min(1, overlap * ASSUMED.conflictsPerOverlap);

  const windows = SECONDS / ASSUMED.compactorWindowSeconds;
  const runs = windows * happens(perStreamSecond * ASSUMED.compactorWindowSeconds);
  const delivered = events * ASSUMED.subscribersPerStream;
  const deliveredBlocks = (delivered * batch.storedBytesPerEvent) / READ_BYTES;
  return {
    requests,
    gbSeconds:
      (ASSUMED.routerGb / 1_000) *
      (publishes * ASSUMED.publishMs +
        (polls - busyPolls) * ASSUMED.idlePollMs +
        busyPolls * (ASSUMED.busyPollMs + ASSUMED.commitMs)),
    units: {
      publishing: plus(
        plus(
          times(mix(batch.publish, batch.publishLost, lost), publishes),
          keyed
            ? times(minus(batch.publishKeyed, batch.publish), publishes)
            : { read: 0, write: 0 },
        ),
        times(LOOKS_AGAIN, ASSUMED.processes * SECONDS),
      ),
      consuming: plus(
        plus(times(idlePoll(measured), polls - busyPolls), { read: deliveredBlocks, write: 0 }),
        times(plus(measured.busyPoll, measured.commit), busyPolls),
      ),
      compaction: plus(
        times(batch.compactRun, runs * streams),
        plus(
          times(batch.compactEvent, events),
          times(plus(measured.sweep, times(measured.sweptStream, streams)), ASSUMED.hoursPerMonth),
        ),
      ),
      counting: plus(
        times(counting(publishes / streams), streams),
        times(counting(polls / subscribers), subscribers),
      ),
    },
    compactorRuns: runs,
    compactorGbSeconds: (runs * ASSUMED.compactorMs + events * ASSUMED.compactorMsPerEvent) / 1_000,
    storedBytes:
      keptFor(ASSUMED.keptDays) *
        (events * batch.storedBytesPerEvent + publishes * ITEM_OVERHEAD_BYTES) +
      keys * (measured.keyBytes + ITEM_OVERHEAD_BYTES) +
      (keyed
        ? keptFor(ASSUMED.receiptDays) * publishes * (measured.receiptBytes + ITEM_OVERHEAD_BYTES)
        : 0),
    logBytes:
      requests * lineBytes(measured.logLineBytes) +
      ((ASSUMED.processes * SECONDS) / METRICS_SECONDS) * lineBytes(measured.metricsLineBytes) +
      runs * lineBytes(measured.metricsLineBytes),
    sentBytes:
      requests * (measured.answerBytes + ASSUMED.headersBytes) +
      delivered * batch.answerBytesPerEvent,
  };
}

/**
 * Returns the cost of counting a month's requests of one key to one stream. Each process that has
 * served any in a minute adds them to a row of the hour.
 */
function counting(requests: number): Units {
  const spans = ASSUMED.processes * ASSUMED.hoursPerMonth * 60;
  return { read: 0, write: spans * happens(requests / spans) };
}

/**
 * What a busy process reads again each second: the stream's row every 5 s, an API key every 20 s,
 * and the end and the checkpoint of a partition once a minute.
 */
export const LOOKS_AGAIN: Units = { read: 1 / 5 + 1 / 20 + 2 / 60, write: 0 };

/**
 * An idle poll a second, with its share of what it reads again: the position, at half a unit, every
 * 30 seconds (decision 0004).
 */
const idlePoll = ({ idlePoll: { read, write } }: Measured): Units => ({
  read: read + POSITION_UNITS * (ASSUMED.pollEverySeconds / POSITION_SECONDS),
  write,
});
const POSITION_UNITS = 0.5;
const POSITION_SECONDS = 30;

/** A process writes its metrics every 10 s when busy. */
const METRICS_SECONDS = 10;
/** The bytes per unit of a strongly consistent read. */
const READ_BYTES = 4_096;

/** The bytes that DynamoDB adds to an item when it bills storage. */
const ITEM_OVERHEAD_BYTES = 100;

/**
 * Returns the share of a month's data that is stored at any time when it is kept for this many
 * days.
 */
const keptFor = (days: number): number => (days * 24) / ASSUMED.hoursPerMonth;

/** Returns the probability of at least one occurrence when `mean` independent ones are expected. */
const happens = (mean: number): number => 1 - Math.exp(-mean);

const sweeperGbSeconds = (): number =>
  (ASSUMED.hoursPerMonth * ASSUMED.sweeperMs * ASSUMED.sweeperGb) / 1_000;

const lineBytes = (bytes: number): number => bytes + ASSUMED.logLineOverheadBytes;

const priceOf = ({ read, write }: Units): number =>
  (read / MILLION) * PRICES.readMillion + (write / MILLION) * PRICES.writeMillion;

const plus = (a: Units, b: Units): Units => ({ read: a.read + b.read, write: a.write + b.write });
const minus = (a: Units, b: Units): Units => ({ read: a.read - b.read, write: a.write - b.write });
const times = ({ read, write }: Units, by: number): Units => ({
  read: read * by,
  write: write * by,
});
const mix = (a: Units, b: Units, share: number): Units =>
  plus(times(a, 1 - share), times(b, share));

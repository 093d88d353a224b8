import { setTimeout as sleep } from "node:timers/promises";
import type { DynamoDBStreamsClient, _Record as SdkRecord } from "@aws-sdk/client-dynamodb-streams";
import { deliver, type StreamHandler, type StreamRecord } from "./deliver.ts";
import { createShards, type Shards, type StreamStart } from "./shards.ts";

export type PumpOptions = {
  readonly client: DynamoDBStreamsClient;
  /**
   * Called before each discovery of shards, because the table may have been deleted and created
   * again.
   */
  readonly loadStreamArn: () => Promise<string>;
  readonly handler: StreamHandler;
  /** Receives the records that were given up. The pump counts them in any case. */
  readonly onFailure?: (records: readonly StreamRecord[], reason: unknown) => void;
  /** Where reading starts: at new records (the default), or at the oldest record of the stream. */
  readonly start?: StreamStart;
  readonly pollMs?: number;
  /**
   * The interval at which the pump looks for new shards, and for the new stream of a table that was
   * created again.
   */
  readonly discoveryMs?: number;
  readonly triesMax?: number;
  readonly backoffMs?: number;
  readonly timeoutMs?: number;
};

export type PumpCounters = {
  /**
   * The number of records that were read from the stream, and of those that the handler receives.
   */
  read: number;
  matched: number;
  retries: number;
  /** The number of records that were given up. */
  failed: number;
  /** The number of rounds in which the database did not answer. */
  errors: number;
};

export type Pump = {
  readonly counters: Readonly<PumpCounters>;
  /** Stops reading and waits at most 3 s for a call in progress. */
  stop(): Promise<void>;
};

/**
 * Does locally what a Lambda event source mapping does on AWS. It reads the table's stream in order
 * and passes inserted batch rows to the compactor and the pusher. It returns once it listens:
 * records that are written later are delivered. It survives restarts of the database.
 *
 * A record only says that its partition has new events, and the compactor reads the log itself. A
 * record that is lost here (given up, trimmed, or written while the pump was down) therefore only
 * delays compaction, until the next record of the partition or the next sweep.
 */
export async function startPump(options: PumpOptions): Promise<Pump> {
  const counters: PumpCounters = { read: 0, matched: 0, retries: 0, failed: 0, errors: 0 };
  const stopping = new AbortController();
  const { signal } = stopping;
  const take = createTake(options, counters, signal);
  const source = await openSource(options, options.start ?? "LATEST", signal);
  await readOnce(source, take, signal);
  const running = pump(options, source, counters, take, signal);
  return {
    counters,
    stop: async () => {
      stopping.abort();
      await Promise.race([running, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

const STOP_TIMEOUT_MS = 3_000;
const POLL_MS = 200;
const DISCOVERY_MS = 5_000;
const ERROR_BACKOFF = { baseMs: 100, capMs: 2_000 };

type Take = (records: SdkRecord[], streamArn: string) => Promise<void>;
type Source = { shards: Shards; streamArn: string };

const readOnce = ({ shards, streamArn }: Source, take: Take, signal: AbortSignal) =>
  shards.read((records) => take(records, streamArn), signal);

async function openSource(
  { client, loadStreamArn }: PumpOptions,
  start: StreamStart,
  signal: AbortSignal,
): Promise<Source> {
  const streamArn = await loadStreamArn();
  const shards = createShards(client, streamArn, start);
  await shards.discover(signal);
  return { shards, streamArn };
}

async function pump(
  options: PumpOptions,
  opened: Source,
  counters: PumpCounters,
  take: Take,
  signal: AbortSignal,
): Promise<void> {
  let source = opened;
  const discoveryMs = options.discoveryMs ?? DISCOVERY_MS;
  let discoverAt = performance.now() + discoveryMs;
  let failuresInARow = 0;
  while (!signal.aborted) {
    try {
      if (performance.now() >= discoverAt || failuresInARow > 0) {
        if ((await options.loadStreamArn()) === source.streamArn) {
          await source.shards.discover(signal);
        } else {
          source = await openSource(options, "TRIM_HORIZON", signal);
        }
        discoverAt = performance.now() + discoveryMs;
      }
      const { count, ended } = await readOnce(source, take, signal);
      failuresInARow = 0;
      if (ended) discoverAt = 0;
      if (count === 0) await sleep(options.pollMs ?? POLL_MS, undefined, { signal });
    } catch {
      if (signal.aborted) return;
      counters.errors++;
      const waitMs = Math.min(ERROR_BACKOFF.capMs, ERROR_BACKOFF.baseMs * 2 ** failuresInARow++);
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** Filters the records as the event source's filter does, and delivers them in Lambda's batches. */
function createTake(options: PumpOptions, counters: PumpCounters, signal: AbortSignal): Take {
  const delivery = {
    handler: options.handler,
    onFailure: (records: readonly StreamRecord[], reason: unknown) => {
      counters.failed += records.length;
      options.onFailure?.(records, reason);
    },
    onRetry: () => {
      counters.retries++;
    },
    triesMax: options.triesMax ?? 5,
    timeoutMs: options.timeoutMs ?? 60_000,
    backoffMs: options.backoffMs ?? 100,
    signal,
  };
  return async (records, streamArn) => {
    const matching = records.map((record) => toLambdaRecord(record, streamArn)).filter(isWanted);
    counters.read += records.length;
    counters.matched += matching.length;
    for (let from = 0; from < matching.length; from += BATCH_RECORDS) {
      await deliver(matching.slice(from, from + BATCH_RECORDS), delivery);
    }
  };
}

const BATCH_RECORDS = 100;

/** New batches, and the bells of pushes. */
const isWanted = ({ eventName, dynamodb: { Keys } }: StreamRecord): boolean =>
  (eventName === "INSERT" && Keys.sk?.S.startsWith("SEQ#") === true) ||
  (eventName !== "REMOVE" && Keys.sk?.S === "BELL");

/**
 * DynamoDB Local reports the stream's region as `ddblocal`. It reports a deletion by time to live
 * as `UNKNOWN_TO_SDK_VERSION`, which AWS reports as REMOVE.
 */
function toLambdaRecord({ dynamodb, ...record }: SdkRecord, streamArn: string): StreamRecord {
  const { eventName } = record;
  const known = eventName === "INSERT" || eventName === "MODIFY" ? eventName : "REMOVE";
  const created = dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0;
  return {
    eventID: record.eventID ?? "",
    eventName: known,
    eventVersion: record.eventVersion ?? "",
    eventSource: "aws:dynamodb",
    awsRegion: record.awsRegion ?? "",
    eventSourceARN: streamArn,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(created / 1_000),
      Keys: Object.fromEntries(
        Object.entries(dynamodb?.Keys ?? {}).map(([name, value]) => [name, { S: value.S ?? "" }]),
      ),
      SequenceNumber: dynamodb?.SequenceNumber ?? "",
      SizeBytes: dynamodb?.SizeBytes ?? 0,
      StreamViewType: "KEYS_ONLY",
    },
  };
}

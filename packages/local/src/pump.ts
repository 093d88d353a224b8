import { setTimeout as sleep } from "node:timers/promises";
import type { DynamoDBStreamsClient, _Record as SdkRecord } from "@aws-sdk/client-dynamodb-streams";
import { deliver, type StreamHandler, type StreamRecord } from "./deliver.ts";
import { createShards, type Shards, type StreamStart } from "./shards.ts";

export type PumpOptions = {
  readonly client: DynamoDBStreamsClient;
  /** Called again and again, because the table may have been created again. */
  readonly loadStreamArn: () => Promise<string>;
  readonly handler: StreamHandler;
  /** Receives the records that were given up. They are counted in any case. */
  readonly onFailure?: (records: readonly StreamRecord[], reason: unknown) => void;
  /**
   * The place to start: only new records (the default), or everything that is still in the stream.
   */
  readonly start?: StreamStart;
  readonly pollMs?: number;
  /**
   * The interval of looking for new shards, and for the new stream of a table that was created
   * again.
   */
  readonly discoveryMs?: number;
  readonly triesMax?: number;
  readonly backoffMs?: number;
  readonly timeoutMs?: number;
};

export type PumpCounters = {
  /** Records seen in the stream, and those of them that are for the handler. */
  read: number;
  matched: number;
  retries: number;
  /** Records given up. */
  failed: number;
  /** Rounds that the database did not answer. */
  errors: number;
};

export type Pump = {
  readonly counters: Readonly<PumpCounters>;
  /** Stops reading and waits for the call under way, 3 s at most. */
  stop(): Promise<void>;
};

/**
 * Does locally what a Lambda event source mapping does in AWS. It reads the table's stream in order
 * and passes the inserts of record batches to the compactor. It returns once it listens. Records
 * that are written after that arrive. It survives restarts of the database.
 *
 * The stream is only a doorbell. A record means "look at this partition", and the compactor reads
 * the log itself. So a record that is lost here (given up, trimmed, or written while the pump was
 * down) costs only time, until the next record of the partition or the sweeper rings.
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

/**
 * Filters what was read, as the event source's filter does, and delivers it in Lambda's batches.
 */
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
    const matching = records.map((record) => toLambdaRecord(record, streamArn)).filter(isInsert);
    counters.read += records.length;
    counters.matched += matching.length;
    for (let from = 0; from < matching.length; from += BATCH_RECORDS) {
      await deliver(matching.slice(from, from + BATCH_RECORDS), delivery);
    }
  };
}

const BATCH_RECORDS = 100;

const isInsert = ({ eventName, dynamodb }: StreamRecord): boolean =>
  eventName === "INSERT" && dynamodb.Keys.sk?.S.startsWith("SEQ#") === true;

/**
 * DynamoDB Local reports the stream's region as `ddblocal`. For a deletion by time to live, it
 * reports the event name `UNKNOWN_TO_SDK_VERSION`; AWS reports REMOVE.
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

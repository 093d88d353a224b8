import { type LedgerClient, streamPath } from "./client.ts";
import { type OutboxEvent, printRow, toColumns } from "./event.ts";
import { verdictOn } from "./verdict.ts";

/** A record of a DynamoDB stream, as Lambda passes it. Images are in DynamoDB's JSON. */
export type DynamoRecord = {
  readonly eventID?: string;
  readonly eventName?: "INSERT" | "MODIFY" | "REMOVE";
  readonly dynamodb?: {
    readonly ApproximateCreationDateTime?: number;
    readonly SequenceNumber?: string;
    readonly Keys?: Readonly<Record<string, object>>;
    readonly NewImage?: Readonly<Record<string, object>>;
    readonly OldImage?: Readonly<Record<string, object>>;
  };
};

/** The answer to Lambda, which calls again with the records from this one on. */
export type BatchResponse = {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
};

export type DynamoRelayOptions = {
  readonly ledger: LedgerClient;
  /** Returns the events of a record. An empty list means that the record is ignored. */
  readonly toEvents: (record: DynamoRecord) => readonly OutboxEvent[];
  /** The maximum number of concurrent requests. Events of one key never overlap. */
  readonly concurrency?: number | undefined;
  /**
   * Called for a record that the ledger refuses. The record is then given up. Without this function
   * the record fails, and its shard waits for it.
   */
  readonly onRefused?: ((error: unknown, record: DynamoRecord) => unknown) | undefined;
};

/**
 * A Lambda handler that publishes the records of a DynamoDB stream. The function's event source
 * needs `FunctionResponseTypes: ["ReportBatchItemFailures"]`.
 *
 * Each record is one request, and the record's id is its Idempotency-Key. Lambda may group the same
 * records differently on a retry, so a key for each batch would not work. DynamoDB keeps a record
 * for 24 hours, and the ledger remembers a key for as long.
 */
export function dynamoRelay({ ledger, toEvents, concurrency = 16, onRefused }: DynamoRelayOptions) {
  const publish = async (record: DynamoRecord, events: readonly OutboxEvent[]): Promise<void> => {
    const byStream = Map.groupBy(events, ({ stream }) => stream);
    for (const [stream, own] of byStream) {
      const created = record.dynamodb?.ApproximateCreationDateTime;
      // A repeated request must have the same content, so the time comes from the record.
      const time = created === undefined ? new Date(0) : new Date(created * 1_000);
      const printed = own.map((event, index) => {
        const columns = toColumns(event, time);
        return printRow({ ...columns, position: "", id: `${record.eventID}-${index}` });
      });
      await ledger.request({
        method: "POST",
        path: `${streamPath(stream)}/events`,
        headers: { "Idempotency-Key": `${record.eventID}` },
        body: `{"events":[${printed.join(",")}]}`,
      });
    }
  };

  return async ({
    Records,
  }: {
    readonly Records: readonly DynamoRecord[];
  }): Promise<BatchResponse> => {
    const failed = new Set<number>();
    const slots = createSlots(concurrency);
    /** The last record of each key, so that the next one waits for it. */
    const lastOf = new Map<string, Promise<boolean>>();
    const all = Records.map((record, index) => {
      const events = toEvents(record);
      const keys = [...new Set(events.map(({ stream, key }) => `${stream} ${key}`))];
      const before = keys.flatMap((key) => lastOf.get(key) ?? []);
      const done = (async (): Promise<boolean> => {
        // After a failure, later events of the key must not overtake it.
        const areDone = await Promise.all(before);
        if (areDone.includes(false)) return false;
        return slots(() => publish(record, events)).then(
          () => true,
          async (error: unknown) => {
            if (onRefused === undefined || !isRefused(error)) return false;
            await onRefused(error, record);
            return true;
          },
        );
      })();
      for (const key of keys) lastOf.set(key, done);
      return done.then((isDone) => {
        if (!isDone) failed.add(index);
      });
    });
    await Promise.all(all);
    const first = Math.min(...failed);
    const itemIdentifier = Records[first]?.dynamodb?.SequenceNumber;
    return { batchItemFailures: itemIdentifier === undefined ? [] : [{ itemIdentifier }] };
  };
}

const isRefused = (error: unknown): boolean =>
  (error instanceof Error && error.name === "InvalidEvent") ||
  verdictOn(error, Number.POSITIVE_INFINITY).kind === "refuse";

/** Runs at most `most` pieces of work at a time. */
function createSlots(most: number) {
  let free = most;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

import { setTimeout as sleep } from "node:timers/promises";

/** One change of the table, in the form in which Lambda passes it to a function. */
export type StreamRecord = {
  readonly eventID: string;
  readonly eventName: "INSERT" | "MODIFY" | "REMOVE";
  readonly eventVersion: string;
  readonly eventSource: "aws:dynamodb";
  readonly awsRegion: string;
  readonly eventSourceARN: string;
  readonly dynamodb: {
    /** The time of the change, in seconds since 1970. */
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Readonly<Record<string, { readonly S: string }>>;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: "KEYS_ONLY";
  };
};

/**
 * A Lambda function with `ReportBatchItemFailures`. It returns the record from which delivery must
 * continue.
 */
export type StreamHandler = (event: {
  Records: StreamRecord[];
}) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>;

export type Delivery = {
  readonly handler: StreamHandler;
  /** Receives the records that were given up, like an on-failure destination. */
  readonly onFailure: (records: readonly StreamRecord[], reason: unknown) => void;
  readonly onRetry: () => void;
  /** A single record is given up after this many attempts. */
  readonly triesMax: number;
  /** A call that takes longer counts as failed, as with the timeout of a function. */
  readonly timeoutMs: number;
  /** The delay before the first retry. It doubles with each further retry. */
  readonly backoffMs: number;
  readonly signal: AbortSignal;
};

/**
 * Delivers `records` to the handler in order, like a Lambda event source with bisection and partial
 * batch responses. Records that the handler accepts are done. From the first failure on, the rest
 * is retried, first as a whole. It is then cut in halves until the failing record is alone. That
 * record is given up after `triesMax` attempts, and the others continue. Returns when every record
 * is accepted or given up. Throws only when `signal` is aborted.
 */
export async function deliver(
  records: readonly StreamRecord[],
  { onFailure, onRetry, triesMax, backoffMs, signal, ...call }: Delivery,
): Promise<void> {
  const waiting = [{ records, tries: 0 }];
  for (let batch = waiting.pop(); batch !== undefined; batch = waiting.pop()) {
    signal.throwIfAborted();
    const outcome = await invoke(batch.records, call);
    const rest = batch.records.slice(outcome.accepted);
    if (rest.length === 0) continue;
    const tries = (outcome.accepted > 0 ? 0 : batch.tries) + 1;
    if (rest.length === 1 && tries >= triesMax) {
      onFailure(rest, outcome.reason);
      continue;
    }
    onRetry();
    await sleep(backoffMs * 2 ** (tries - 1), undefined, { signal });
    if (rest.length === 1 || tries < WHOLE_TRIES) {
      waiting.push({ records: rest, tries });
    } else {
      const cut = outcome.named ? 1 : Math.ceil(rest.length / 2);
      waiting.push(
        { records: rest.slice(cut), tries: 0 },
        { records: rest.slice(0, cut), tries: 0 },
      );
    }
  }
}

/** A batch of several records is tried this often before it is cut in halves. */
const WHOLE_TRIES = 2;

/**
 * `named` is true when the handler named the record that failed, so only that record is suspect.
 */
type Outcome = { accepted: number; named: boolean; reason: unknown };

async function invoke(
  records: readonly StreamRecord[],
  { handler, timeoutMs }: Pick<Delivery, "handler" | "timeoutMs">,
): Promise<Outcome> {
  const done = new AbortController();
  try {
    const timeout = sleep(timeoutMs, undefined, { signal: done.signal }).then(() => {
      throw new Error(`The handler took longer than ${timeoutMs} ms.`);
    });
    const call = async () => handler({ Records: [...records] });
    const answer = await Promise.race([call(), timeout]);
    return readAnswer(records, answer.batchItemFailures);
  } catch (reason) {
    return { accepted: 0, named: false, reason };
  } finally {
    done.abort();
  }
}

function readAnswer(
  records: readonly StreamRecord[],
  failures: readonly { itemIdentifier: string }[],
): Outcome {
  if (failures.length === 0) return { accepted: records.length, named: false, reason: undefined };
  const failed = new Set(failures.map((failure) => failure.itemIdentifier));
  const known = records.filter((record) => failed.has(record.dynamodb.SequenceNumber));
  const first = known[0];
  // An identifier of no record in the batch fails the whole batch, as on AWS.
  if (first === undefined || known.length < failed.size) {
    return {
      accepted: 0,
      named: false,
      reason: "The handler named a record that was not in its batch.",
    };
  }
  return {
    accepted: records.indexOf(first),
    named: true,
    reason: "The handler refused the record.",
  };
}

import { asClientError, type LedgerClient, streamPath } from "./client.ts";
import { type OutboxColumns, type OutboxEvent, printRow, toColumns } from "./event.ts";
import { pause } from "./pause.ts";
import { publishAll } from "./relay.ts";
import type { OutboxStore } from "./store.ts";

export type SnapshotOptions = {
  /** The maximum number of states of a request. */
  readonly eventsMax?: number | undefined;
  readonly leaseMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type SnapshotReport = {
  readonly published: number;
  /** Keys that already had a state in the ledger, or an event in the outbox. */
  readonly skipped: number;
};

type Rows<T> = Iterable<T> | AsyncIterable<T>;

/** The current state of a key, as an event. */
export type State =
  | Omit<Extract<OutboxEvent, { data: unknown }>, "stream">
  | Omit<Extract<OutboxEvent, { dataText: string }>, "stream">;

/**
 * Publishes one event for each row that existed before the outbox did. Relays of the stream wait
 * meanwhile. So every event of the outbox is either in the ledger before a row is read, or is
 * published after it. A row is published only if its key has no state in the ledger and no event in
 * the outbox, because these would be newer. So the snapshot can be repeated after a failure.
 */
export async function snapshot(
  store: OutboxStore,
  ledger: LedgerClient,
  { stream, rows }: { readonly stream: string; readonly rows: () => Rows<State> },
  options: SnapshotOptions = {},
): Promise<SnapshotReport> {
  const { eventsMax = 200, leaseMs = 30_000, signal } = options;
  const owner = crypto.randomUUID();
  const claim = async (): Promise<void> => {
    if (!(await store.claim(stream, owner, leaseMs))) {
      throw new Error(`Another process publishes ${stream}: start the snapshot again`);
    }
  };
  try {
    while (!(await store.claim(stream, owner, leaseMs))) await pause(250, signal);
    // A killed relay may have left a batch whose events may or may not be in the ledger.
    await publishAll(store, ledger, { stream, owner, leaseMs, signal, isOnlyBegun: true });
    let published = 0;
    let skipped = 0;
    for await (const chunk of chunks(rows(), eventsMax)) {
      const states = chunk.map((state) => toColumns({ ...state, stream }, new Date()));
      await claim();
      const waiting = await store.waitingKeys(
        stream,
        states.map(({ key }) => key),
      );
      const free = states.filter(({ key }) => !waiting.has(key));
      const count = await publishStates(ledger, stream, free, signal);
      published += count;
      skipped += chunk.length - count;
    }
    return { published, skipped };
  } finally {
    await store.release(owner).catch(() => {});
  }
}

/** Publishes the states of keys that have none in the ledger. Returns their number. */
async function publishStates(
  ledger: LedgerClient,
  stream: string,
  states: readonly OutboxColumns[],
  signal: AbortSignal | undefined,
): Promise<number> {
  let rest = [...new Map(states.map((state) => [state.key, state])).values()];
  while (rest.length > 0) {
    const events = rest.map((state) => {
      const text = printRow({ ...state, position: "", id: crypto.randomUUID() });
      return `${text.slice(0, -1)},"expectedSequence":0}`;
    });
    try {
      await ledger.request({
        method: "POST",
        path: `${streamPath(stream)}/events`,
        headers: { "Idempotency-Key": crypto.randomUUID() },
        body: `{"events":[${events.join(",")}]}`,
        signal,
      });
      break;
    } catch (error) {
      const taken = mismatches(error);
      if (taken.size === 0) throw error;
      rest = rest.filter(({ key }) => !taken.has(key));
    }
  }
  return rest.length;
}

/** Returns the keys that have a state in the ledger, if they are the reason for its refusal. */
function mismatches(error: unknown): ReadonlySet<string> {
  const { code, body } = asClientError(error);
  const listed = code === "sequence-mismatch" ? body?.mismatches : [];
  return new Set(Array.isArray(listed) ? listed.map(({ key }: { key: string }) => key) : []);
}

async function* chunks<T>(rows: Rows<T>, most: number): AsyncGenerator<readonly T[]> {
  let chunk: T[] = [];
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length < most) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

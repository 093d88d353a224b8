import { type LedgerClient, streamPath } from "./client.ts";
import { printRow } from "./event.ts";
import { isPublished } from "./look-up.ts";
import { pause } from "./pause.ts";
import type { Batch, OutboxStore } from "./store.ts";
import { pauseMs, verdictOn } from "./verdict.ts";

export type RelayOptions = {
  /** How long an idle relay waits before it looks for new events. The default is 250 ms. */
  readonly pollMs?: number | undefined;
  /** Ends when no event waits, instead of following the outbox. For scheduled jobs. */
  readonly untilEmpty?: boolean | undefined;
  /**
   * What happens to an event that the ledger refuses. `stop`: relay() rejects with the problem.
   * `park`: the event stays in the outbox with the reason, later events of its key wait for it, and
   * all others continue.
   */
  readonly onRefused?: "park" | "stop" | undefined;
  /** The maximum number of events of a request. The ledger accepts 1,000. */
  readonly eventsMax?: number | undefined;
  /** The maximum number of bytes of a request. The ledger accepts 4 MiB. */
  readonly bytesMax?: number | undefined;
  /**
   * How long a killed relay keeps others from publishing. The value is not critical: two concurrent
   * relays publish the same batches, and each batch takes effect once.
   */
  readonly leaseMs?: number | undefined;
  /** Called for each failure after which the relay tries again. */
  readonly onRetry?: ((error: unknown) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * The ledger remembers an Idempotency-Key for 24 hours. A batch that was named earlier than this
 * may have been published, so the relay looks for it first.
 */
const TRUST_MS = 12 * 3_600_000;

/**
 * Publishes the waiting events of an outbox, each stream independently, until the signal is
 * aborted. Rejects with the signal's reason, or with a problem that repeating does not solve.
 */
export async function relay(
  store: OutboxStore,
  ledger: LedgerClient,
  options: RelayOptions = {},
): Promise<void> {
  const { pollMs = 250, untilEmpty = false, onRetry } = options;
  const owner = crypto.randomUUID();
  const running = new Map<string, Promise<unknown>>();
  const ending = new AbortController();
  const { signal } = ending;
  let failure: { readonly error: unknown } | undefined;
  const onAbort = () => ending.abort(options.signal?.reason);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });

  const begin = (stream: string): void => {
    const publishing = publishAll(store, ledger, { ...options, signal, stream, owner });
    const ended = publishing.then(
      () => running.delete(stream),
      (error: unknown) => {
        failure ??= { error };
      },
    );
    running.set(stream, ended);
  };
  try {
    // If the first read fails, the outbox is not usable. Later failures are temporary.
    let streams = await store.streams();
    for (let failures = 0; ; ) {
      signal.throwIfAborted();
      if (failure !== undefined) {
        // One failing stream must not delay the others, even if the relay is restarted again and
        // again.
        await Promise.race([Promise.all(running.values()), pause(OTHERS_MS, signal)]);
        throw failure.error;
      }
      for (const stream of streams) if (!running.has(stream)) begin(stream);
      if (untilEmpty && streams.length === 0 && running.size === 0) return;
      await pause(pollMs, signal);
      try {
        streams = await store.streams();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures > STORE_FAILURES_MAX) throw error;
        onRetry?.(error);
        await pause(pauseMs(failures), signal);
      }
    }
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    ending.abort(new Error("the relay has ended"));
    await Promise.all(running.values());
    await store.release(owner).catch(() => {});
  }
}

/** After one stream has failed, the others may still publish their waiting events for this long. */
const OTHERS_MS = 5_000;

/** The relay waits about a minute and a half for a database that does not answer. */
const STORE_FAILURES_MAX = 20;

type Work = RelayOptions & {
  readonly stream: string;
  readonly owner: string;
  /** Publishes only a batch that was begun earlier. */
  readonly isOnlyBegun?: boolean;
};

/** Publishes batch after batch until none is left, or another relay has the lease of the stream. */
export async function publishAll(
  store: OutboxStore,
  ledger: LedgerClient,
  work: Work,
): Promise<void> {
  const { stream, owner, leaseMs = 30_000, eventsMax = 500, bytesMax = 1_000_000, signal } = work;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    try {
      if (!(await store.claim(stream, owner, leaseMs))) return;
      // The name is stored before the events are sent, so after a crash the same batch is sent
      // first.
      const caps = { eventsMax, bytesMax };
      const name = work.isOnlyBegun ? undefined : crypto.randomUUID();
      const batch = await store.batch(stream, owner, name, caps);
      if (batch === undefined) return;
      await publishOne(store, ledger, batch, work);
      failures = 0;
    } catch (error) {
      signal?.throwIfAborted();
      const verdict = verdictOn(error, 0);
      failures += 1;
      if (verdict.kind === "database" && failures > STORE_FAILURES_MAX) throw error;
      if (verdict.kind !== "database" && verdict.kind !== "again") throw error;
      work.onRetry?.(error);
      const afterMs = verdict.kind === "again" ? verdict.afterMs : 0;
      await pause(Math.max(afterMs, pauseMs(failures)), signal);
    }
  }
}

async function publishOne(
  store: OutboxStore,
  ledger: LedgerClient,
  batch: Batch,
  { stream, onRefused = "stop", signal }: Work,
): Promise<void> {
  if (batch.ageMs > TRUST_MS) {
    if (await isPublished(ledger, stream, batch, signal)) await store.finish(stream, batch.id);
    else await store.rename(stream, batch.id, crypto.randomUUID());
    return;
  }
  try {
    await ledger.request({
      method: "POST",
      path: `${streamPath(stream)}/events`,
      headers: { "Idempotency-Key": batch.id },
      body: `{"events":[${batch.rows.map(printRow).join(",")}]}`,
      // The age of the batch is checked before each attempt.
      attempts: 1,
      signal,
    });
  } catch (error) {
    const verdict = verdictOn(error, batch.rows.length);
    if (verdict.kind === "look" && (await isPublished(ledger, stream, batch, signal))) {
      await store.finish(stream, batch.id);
      return;
    }
    if (verdict.kind !== "refuse" || onRefused === "stop") throw error;
    const parked = [...verdict.reasons].map(
      ([index, reason]) => [batch.rows[index]?.position ?? "", reason] as const,
    );
    await store.park(stream, batch.id, new Map(parked));
    return;
  }
  await store.finish(stream, batch.id);
}

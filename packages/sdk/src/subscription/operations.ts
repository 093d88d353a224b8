import { ask, type StreamContext, streamPath } from "../context.ts";
import { unlessRepeated } from "../errors.ts";
import type { Lag } from "../events/event.ts";
import { newIdempotencyKey } from "../events/idempotency-key.ts";
import type { Call } from "../http/request.ts";
import type {
  ParkedKey,
  Place,
  SeekReceipt,
  SubscriptionInfo,
  SubscriptionSettings,
} from "./settings.ts";

type Signalled = { readonly signal?: AbortSignal | undefined };

/** The requests of a subscription. */
export type Operations = ReturnType<typeof subscriptionOperations>;

export function subscriptionOperations(
  context: StreamContext,
  name: string,
  { consumer, ...settings }: SubscriptionSettings,
) {
  const all = `${streamPath(context.stream)}/subscriptions`;
  const path = `${all}/${encodeURIComponent(name)}`;
  const me = consumer === false ? undefined : (consumer ?? `sdk-${newIdempotencyKey()}`);
  const get = <T>(at: string, query?: Call["query"], how?: Signalled): Promise<T> =>
    ask(context, { method: "GET", path: at, query, ...how });
  const post = <T>(
    at: string,
    body: NonNullable<Call["body"]>,
    how?: Omit<Call, "method" | "path">,
  ): Promise<T> => ask(context, { method: "POST", path: at, body, ...how });

  const info = (how?: Signalled): Promise<SubscriptionInfo> => get(path, {}, how);
  const parkedPage = (cursor: string | undefined, how?: Signalled) =>
    get<{ parked: ParkedKey[]; cursor: string | null }>(`${path}/parked`, { cursor }, how);

  return {
    path,
    consumer: me,
    isMadeHere: settings.start !== undefined,
    /** Creates the subscription if its start is known. Repeating it changes nothing. */
    async ensure(signal?: AbortSignal): Promise<void> {
      if (settings.start !== undefined) await post(all, { name, ...settings }, { signal });
    },
    info,
    lag: async (how?: Signalled): Promise<Lag> => (await info(how)).lag,
    seek: (to: Place, how?: Signalled): Promise<SeekReceipt> => post(`${path}/seek`, { to }, how),
    /** Parks the key of an event: its events wait from this one on, and the others continue. */
    park: (
      { key, sequence, reason = "" }: Pick<ParkedKey, "key" | "sequence"> & { reason?: string },
      how?: Signalled,
    ): Promise<ParkedKey> => post(`${path}/park`, { key, sequence, reason: cut(reason) }, how),
    async *parked(how?: Signalled): AsyncGenerator<ParkedKey, void, void> {
      for (let cursor: string | undefined; ; ) {
        const page = await parkedPage(cursor, how);
        yield* page.parked;
        if (page.cursor === null) return;
        cursor = page.cursor;
      }
    },
    /** Delivers the events that waited. A key that is already free counts as done. */
    retry: (key: string, how?: Signalled): Promise<void> =>
      unlessRepeated(
        post(`${path}/parked/retry`, {}, { ...how, query: { key } }),
        "parked-key-not-found",
      ),
    /** Skips the parked event, and delivers the later ones of its key. */
    skip: (
      { key, sequence }: Pick<ParkedKey, "key" | "sequence">,
      how?: Signalled,
    ): Promise<void> =>
      unlessRepeated(
        post(`${path}/parked/skip`, {}, { ...how, query: { key, sequence } }),
        "parked-key-not-found",
      ),
    /**
     * Ends a loop: commits what was processed last, so that it is not delivered again, and releases
     * this worker's share at once. Otherwise the other workers would wait until its lease ends.
     */
    async leave(commit?: string): Promise<void> {
      const how = { signal: AbortSignal.timeout(LEAVE_MS), attempts: 1 };
      const end = (action: string, body: Readonly<Record<string, unknown>>) =>
        context.connection
          .request({ method: "POST", path: path + action, body, ...how })
          .catch(() => {});
      if (commit !== undefined) await end("/poll", { commit, limit: 1, consumer: me });
      if (me !== undefined) await end("/leave", { consumer: me });
    },
    delete: (how?: Signalled): Promise<void> =>
      unlessRepeated(
        context.connection.request({ method: "DELETE", path, ...how }),
        ...(["subscription-not-found", "stream-not-found"] as const),
      ),
  };
}

/** A process that ends waits no longer than this. */
const LEAVE_MS = 2_000;

/** The server keeps this much of a reason. */
const cut = (reason: string): string =>
  reason.slice(0, new TextEncoder().encodeInto(reason, new Uint8Array(256)).read).toWellFormed();

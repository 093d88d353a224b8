import { ask, type StreamContext, streamPath } from "../context.ts";
import { unlessRepeated } from "../errors.ts";
import type { Lag } from "../events/event.ts";
import { newIdempotencyKey } from "../events/idempotency-key.ts";
import type { Call } from "../http/call.ts";
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
  type Body = Readonly<Record<string, unknown>>;
  const post = <T>(at: string, body: Body, how?: Partial<Call>): Promise<T> =>
    ask(context, { method: "POST", path: at, body, ...how });
  /** Frees a parked key. A key that is already free counts as success. */
  const free = (action: string, query: Call["query"], how?: Signalled): Promise<void> =>
    unlessRepeated(post(`${path}/parked/${action}`, {}, { ...how, query }), "parked-key-not-found");
  const info = (how?: Signalled): Promise<SubscriptionInfo> =>
    ask(context, { method: "GET", path, ...how });

  return {
    path,
    consumer: me,
    isMadeHere: settings.start !== undefined,
    /** Creates the subscription if its start is known. Repeating it changes nothing. */
    async create(signal?: AbortSignal): Promise<void> {
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
      for (let cursor: string | undefined | null; cursor !== null; ) {
        const page: { parked: ParkedKey[]; cursor: string | null } = await ask(context, {
          method: "GET",
          path: `${path}/parked`,
          query: { cursor },
          ...how,
        });
        yield* page.parked;
        cursor = page.cursor;
      }
    },
    /** Delivers the events that waited. */
    retry: (key: string, how?: Signalled): Promise<void> => free("retry", { key }, how),
    /** Skips the parked event, and delivers the later ones of its key. */
    skip: (
      { key, sequence }: Pick<ParkedKey, "key" | "sequence">,
      how?: Signalled,
    ): Promise<void> => free("skip", { key, sequence }, how),
    /**
     * Ends a loop: commits what was processed last, so that it is not delivered again, and releases
     * this worker's share at once. Otherwise the other workers would wait until its lease ends.
     */
    async leave(commit?: string): Promise<void> {
      const signal = AbortSignal.timeout(LEAVE_MS);
      const end = (action: string, body: Body) =>
        post(path + action, body, { signal, attempts: 1 }).catch(() => {});
      if (commit !== undefined) await end("/poll", { commit, limit: 1, consumer: me });
      if (me !== undefined) await end("/leave", { consumer: me });
    },
    delete: (how?: Signalled): Promise<void> =>
      unlessRepeated(
        ask(context, { method: "DELETE", path, ...how }),
        "subscription-not-found",
        "stream-not-found",
      ),
  };
}

/** When a process ends, it waits no longer than this. */
const LEAVE_MS = 2_000;

/** Cuts a reason to the length that the server keeps. */
const cut = (reason: string): string =>
  reason.slice(0, new TextEncoder().encodeInto(reason, new Uint8Array(256)).read).toWellFormed();

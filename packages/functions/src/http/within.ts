import {
  type Caller,
  coversKey,
  coversLife,
  coversSubscription,
  type EventsPage,
  type IncomingEvent,
  LedgerError,
  lifeEnded,
  type StoredEvent,
  subscriptionNotFound,
} from "@eventledger/core";
import type { CreateSubscription, Filter, InvalidField } from "@eventledger/protocol";
import { forbidden } from "./auth.ts";

/**
 * These functions check what a key that is bound to a prefix may name in a request and receive in
 * an answer. A key without a prefix passes every check.
 */

/** Throws `forbidden` for an event key that is not within the caller's prefix. */
export function assertCoversKey(caller: Caller, key: string, pointer: string): void {
  if (!coversKey(caller, key)) throw outside(caller, [pointer]);
}

/**
 * Throws `forbidden` unless all events of a publish are within the caller's prefix. The problem
 * names the first events that are not.
 */
export function assertCoversEvents(caller: Caller, events: readonly IncomingEvent[]): void {
  const wrong = events.flatMap(({ attributes: { key } }, at) =>
    coversKey(caller, key) ? [] : [at],
  );
  if (wrong.length === 0) return;
  const shown = wrong.slice(0, SHOWN_MAX);
  throw outside(
    caller,
    shown.map((at) => (events.length === 1 ? "/key" : `/events/${at}/key`)),
  );
}

const SHOWN_MAX = 10;

/**
 * Returns the prefix to read by: the narrower of the requested one and the caller's own. Throws
 * `forbidden` when no key can have both.
 */
export function narrowed(
  caller: Caller,
  asked: string | undefined,
  pointer: string,
): string | undefined {
  const { keyPrefix } = caller;
  if (keyPrefix === undefined) return asked;
  if (asked === undefined || keyPrefix.startsWith(asked)) return keyPrefix;
  assertCoversKey(caller, asked, pointer);
  return asked;
}

/** Throws `forbidden` unless the caller may create such a subscription. */
export function assertMaySubscribe(caller: Caller, { name, filter }: CreateSubscription): void {
  if (!coversSubscription(caller, name)) {
    throw forbidden("The API key does not cover subscriptions of that name.", [
      { pointer: "/name", detail: "is not covered by the API key" },
    ]);
  }
  assertMayFilter(caller, filter);
}

/** Throws `forbidden` for a filter that matches keys outside the caller's prefix. */
export function assertMayFilter(caller: Caller, filter: Filter | null | undefined): void {
  assertCoversKey(caller, filter?.keyPrefix ?? "", "/filter/keyPrefix");
}

/** Throws `subscription-not-found` when a filter delivers events that the caller may not read. */
export function assertCoversFilter(caller: Caller, filter: Filter | undefined): void {
  if (!coversKey(caller, filter?.keyPrefix ?? "")) throw subscriptionNotFound();
}

/**
 * Checks a page just before it is sent. Another client may have changed the filter of the
 * subscription since this caller was authorized.
 */
export function assertDelivers(caller: Caller, events: readonly StoredEvent[]): void {
  if (!events.every(({ key }) => coversKey(caller, key))) throw subscriptionNotFound();
}

/**
 * Throws `forbidden` when an answer is of another life of the stream than the one that the caller's
 * portal token was made for. The stream may have been created again since the caller was
 * authorized.
 */
export function assertOfLife(caller: Caller, stream: string, life: string): void {
  if (!coversLife(caller, stream, life)) throw lifeEnded();
}

/**
 * Returns the members of a page that the caller may know. The holder of a portal token must not
 * learn how many events there are outside its prefix.
 */
export function withoutCounts<T extends Pick<EventsPage, "events" | "looked" | "lag">>(
  { portal }: Caller,
  page: T,
): T {
  if (portal === undefined) return page;
  const { lag: _, ...rest } = page;
  return { ...rest, looked: page.events.length } as T;
}

/**
 * Removes the settings of an existing subscription from a refusal when the caller must not see
 * them.
 */
export function withoutSettings(caller: Caller, error: unknown): unknown {
  const tells = error instanceof LedgerError && error.code === "subscription-exists";
  if (!tells || caller.keyPrefix === undefined) return error;
  return new LedgerError(error.code, { detail: error.detail });
}

function outside({ keyPrefix = "" }: Caller, pointers: readonly string[]): LedgerError {
  const detail = `must begin with ${JSON.stringify(keyPrefix)}, to which the API key is bound`;
  const errors: InvalidField[] = pointers.map((pointer) => ({ pointer, detail }));
  return forbidden(`${pointers[0]} ${detail}.`, errors);
}

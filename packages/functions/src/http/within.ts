import {
  type Caller,
  coversKey,
  coversSubscription,
  type IncomingEvent,
  LedgerError,
  type StoredEvent,
  subscriptionNotFound,
} from "@eventledger/core";
import type { CreateSubscription, Filter, InvalidField } from "@eventledger/protocol";
import { forbidden } from "./auth.ts";

/**
 * Checks what a key that is bound to a prefix may name in a request and find in an answer. A key
 * without a bound passes every check here.
 */

/** Throws `forbidden` for an event key that the caller's prefix leaves out. */
export function assertCoversKey(caller: Caller, key: string, pointer: string): void {
  if (!coversKey(caller, key)) throw outside(caller, [pointer]);
}

/** The same check for all events of a publish. Names each event outside the bound. */
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
 * The prefix to read by: what was asked for, as far as the caller's own reaches. Throws `forbidden`
 * when nothing that begins with one begins with the other.
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

/** Throws `forbidden` unless the caller may have such a subscription. */
export function assertMaySubscribe(caller: Caller, { name, filter }: CreateSubscription): void {
  if (!coversSubscription(caller, name)) {
    throw forbidden("The API key does not cover subscriptions of that name.", [
      { pointer: "/name", detail: "is not covered by the API key" },
    ]);
  }
  assertMayFilter(caller, filter);
}

/** Throws `forbidden` for a filter that lets through what the caller's prefix leaves out. */
export function assertMayFilter(caller: Caller, filter: Filter | null | undefined): void {
  assertCoversKey(caller, filter?.keyPrefix ?? "", "/filter/keyPrefix");
}

/** A subscription that brings more than the caller may read does not exist for the caller. */
export function assertCoversFilter(caller: Caller, filter: Filter | undefined): void {
  if (!coversKey(caller, filter?.keyPrefix ?? "")) throw subscriptionNotFound();
}

/**
 * The last look before events leave: what a subscription delivers depends on its filter, which
 * others may have changed since the caller was let in.
 */
export function assertDelivers(caller: Caller, events: readonly StoredEvent[]): void {
  if (!events.every(({ key }) => coversKey(caller, key))) throw subscriptionNotFound();
}

/** A refusal for a caller that must not learn the settings of what is there. */
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

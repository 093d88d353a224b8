import { LedgerError } from "../../kernel/error.ts";
import type { IncomingEvent } from "../../model/event.ts";

/** A request's expectation of a key: the sequence of its last event, or 0 for no current state. */
export type Expectation = {
  readonly partition: number;
  readonly key: string;
  readonly sequence: number;
};

/** The last event of a key below a given place of its partition. Sequence 0 if the key has none. */
export type LastEvent = { readonly sequence: number; readonly deleted: boolean };

export const NO_EVENT: LastEvent = { sequence: 0, deleted: false };

/** A sequence that no event has. It represents an event of an earlier life of the stream. */
export const NEVER = -1;

/**
 * Returns a request's expectations, each key once. The first event of a key that has an expectation
 * decides.
 */
export function expectationsOf(
  events: readonly IncomingEvent[],
  drafts: readonly Keyed[],
): readonly Expectation[] {
  const expected = new Map<string, Expectation>();
  for (const [index, { partition, key }] of drafts.entries()) {
    const sequence = events[index]?.expectedSequence;
    if (sequence === undefined || expected.has(key)) continue;
    expected.set(key, { partition, key, sequence });
  }
  return [...expected.values()];
}

type Keyed = { readonly partition: number; readonly key: string };

type Asking = { readonly drafts: readonly Keyed[]; readonly expected?: readonly Expectation[] };

/** Whether a group writes a key that a request has an expectation of. */
export function writesExpectedKey(
  group: readonly { readonly request: Asking }[],
  { expected = [] }: Asking,
): boolean {
  if (expected.length === 0) return false;
  const keys = new Set(expected.map(({ key }) => key));
  return group.some(({ request: { drafts } }) => drafts.some(({ key }) => keys.has(key)));
}

/**
 * Whether a key matches the expectation. A deleted key has no current state, and after some time
 * the log forgets its deletion. So the expectation 0 matches it from the deletion on.
 */
export const isAsExpected = ({ sequence }: Expectation, last: LastEvent): boolean =>
  sequence === last.sequence || (sequence === 0 && last.deleted);

/** Returns `412 sequence-mismatch` with each key that does not match and its actual last event. */
export function sequenceMismatch(
  found: readonly { readonly expectation: Expectation; readonly last: LastEvent }[],
): LedgerError {
  const mismatches = found.map(({ expectation: { key, sequence }, last }) => ({
    key,
    expectedSequence: sequence === NEVER ? null : sequence,
    sequence: last.sequence,
    deleted: last.deleted,
  }));
  const [first] = mismatches;
  const what =
    found.length === 1 && first !== undefined
      ? `The last event of the key has sequence ${first.sequence}${first.deleted ? " and deletes it" : ""}.`
      : `${found.length} keys have other last events than expected.`;
  return new LedgerError("sequence-mismatch", {
    detail: `${what} Nothing was written. Read the newer events and decide again.`,
    facts: { mismatches },
  });
}

/** Returns the refusal of an expectation that would require reading too much of the log. */
export const compactionLagging = (facts: Readonly<Record<string, number>>): LedgerError =>
  new LedgerError("compaction-lagging", {
    detail:
      "Compaction lags too far to find the last event of each key in time. Nothing was written. POST /streams/{stream}/compact, or try again shortly.",
    retryAfterSeconds: 1,
    facts,
  });

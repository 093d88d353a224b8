import { type IncomingEvent, invalidRequest } from "@eventledger/core";

/** The headers of a publish that state the expected sequence of its one key. */
export type Preconditions = {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
};

/**
 * The events with the expectation for their key, and the incarnation of the stream if the client
 * named it.
 */
export type Expecting = { readonly events: readonly IncomingEvent[]; readonly ofLife?: string };

/**
 * Applies `If-Match` and `If-None-Match` to a publish of one key. `If-Match` holds a sequence or
 * the ETag of a current state. That ETag contains the sequence and the incarnation of the stream.
 * `If-None-Match: *` requires that the key has no current state. Throws `invalid-request` for any
 * other value.
 */
export function expectOfKey(
  events: readonly IncomingEvent[],
  { ifMatch, ifNoneMatch }: Preconditions,
): Expecting {
  if (ifMatch === undefined && ifNoneMatch === undefined) return { events };
  const pointer = ifMatch === undefined ? NONE_MATCH : MATCH;
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw invalidRequest(NONE_MATCH, "must not be sent together with If-Match");
  }
  const expected = ifMatch === undefined ? readNone(ifNoneMatch ?? "") : readMatch(ifMatch);
  const [first, ...others] = events;
  const key = first?.attributes.key;
  if (first === undefined || others.some(({ attributes }) => attributes.key !== key)) {
    throw invalidRequest(
      pointer,
      "applies to one key, and the events have several keys; send expectedSequence in each event instead",
    );
  }
  if (events.some(({ expectedSequence }) => expectedSequence !== undefined)) {
    throw invalidRequest(pointer, "must not be sent together with expectedSequence in an event");
  }
  const { expectedSequence, ...life } = expected;
  return { events: [{ ...first, expectedSequence }, ...others], ...life };
}

const MATCH = "/headers/if-match";
const NONE_MATCH = "/headers/if-none-match";
const SEQUENCE = /^(?:"(\d{1,16})"|(\d{1,16}))$/;
/**
 * Matches the ETag of a state. A state that was sent compressed has a weak ETag, which names the
 * same state.
 */
const STATE = /^(?:W\/)?"([A-Za-z0-9_.-]+)-(\d{1,16})"$/;

type Expected = { readonly expectedSequence: number; readonly ofLife?: string };

function readMatch(header: string): Expected {
  const plain = SEQUENCE.exec(header);
  const state = STATE.exec(header);
  const expectedSequence = Number(plain?.[1] ?? plain?.[2] ?? state?.[2]);
  if (!Number.isSafeInteger(expectedSequence)) {
    throw invalidRequest(
      MATCH,
      `must be one sequence from 0 to ${Number.MAX_SAFE_INTEGER}, as in "42", or the ETag of the current state of the key`,
    );
  }
  const ofLife = state?.[1];
  return ofLife === undefined ? { expectedSequence } : { expectedSequence, ofLife };
}

function readNone(header: string): Expected {
  if (header === "*") return { expectedSequence: 0 };
  throw invalidRequest(NONE_MATCH, "must be *: publish only if the key has no current state");
}

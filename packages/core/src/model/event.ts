import type { EventAttributes } from "@eventledger/protocol";

/**
 * JSON text exactly as its publisher sent it, verified as valid JSON, without white space around
 * it. It is never parsed and printed again.
 */
export type RawJson = string & { readonly __brand: "RawJson" };

/** A valid new event: its attributes, and its data as text. */
export type IncomingEvent = {
  readonly attributes: EventAttributes;
  readonly data: RawJson;
  /**
   * The event is written only if the last event of its key has this sequence. 0: only if the key
   * has no current state.
   */
  readonly expectedSequence?: number;
  /** Only in the tombstone of an erasure, which no client can publish: the id of the erasure. */
  readonly erasure?: string;
};

/** An event of the log. `publishedAt` is in milliseconds since 1970. */
export type StoredEvent = {
  readonly sequence: number;
  readonly publishedAt: number;
  readonly id: string;
  readonly key: string;
  readonly type?: string;
  readonly time?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The headers and the data were erased. The data is now `null`. */
  readonly erased?: true;
  /** The event is the tombstone of the erasure with this id. */
  readonly erasure?: string;
  readonly data: RawJson;
};

/** Returns whether the event deletes its key. */
export const isTombstone = (event: { readonly data: RawJson }): boolean => event.data === "null";

/**
 * Returns whether an event has something that an erasure takes away. A tombstone without headers
 * has nothing.
 */
export const hasPayload = (event: Pick<StoredEvent, "data" | "headers">): boolean =>
  !isTombstone(event) || event.headers !== undefined;

/** Returns the event as it is after its erasure. Its place, id, key, type and times stay. */
export function eraseEvent({ headers: _, ...event }: StoredEvent): StoredEvent {
  return { ...event, erased: true, data: "null" as RawJson };
}

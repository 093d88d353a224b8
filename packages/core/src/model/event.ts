import type { EventAttributes } from "@eventledger/protocol";

/**
 * JSON text exactly as its publisher sent it, proven to be valid JSON, without white space
 * around it. Never parsed and printed again.
 */
export type RawJson = string & { readonly __brand: "RawJson" };

/** A valid new event: its attributes, and its data as text. */
export type IncomingEvent = {
  readonly attributes: EventAttributes;
  readonly data: RawJson;
  /** Only if this is the sequence of the key's last event; 0: only if it has no current state. */
  readonly expectedSequence?: number;
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
  readonly data: RawJson;
};

/** True when the event deletes its key. */
export const isTombstone = (event: { readonly data: RawJson }): boolean => event.data === "null";

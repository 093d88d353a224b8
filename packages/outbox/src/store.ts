import type { OutboxRow } from "./event.ts";

/** Events that are published in one request with one name. */
export type Batch = {
  /** The Idempotency-Key. */
  readonly id: string;
  /** The time since the batch was named, by the clock of the database. */
  readonly ageMs: number;
  /** The events in the order of their positions. */
  readonly rows: readonly OutboxRow[];
};

export type Caps = { readonly eventsMax: number; readonly bytesMax: number };

export type OutboxStatus = {
  /** Events that are not published yet. */
  readonly waiting: number;
  /** The age of the oldest of them. */
  readonly oldestSeconds: number;
  /** Events that the ledger refused. Later events of their keys wait for them. */
  readonly parked: number;
};

export type ParkedEvent = OutboxRow & { readonly stream: string; readonly reason: string };

/**
 * The operations that a relay needs from an outbox. Each call is one transaction. A stream has at
 * most one batch at a time. It exists from `batch` until `finish` or `park`, even if another relay
 * takes the lease.
 */
export type OutboxStore = {
  /** The streams that have something to publish. */
  streams(): Promise<readonly string[]>;
  /** Takes or renews the lease of a stream. False if another relay has it. */
  claim(stream: string, owner: string, leaseMs: number): Promise<boolean>;
  /**
   * Returns the batch that was begun. If there is none and a name is given, the owner of the lease
   * begins one with all visible events by position, up to the caps.
   */
  batch(
    stream: string,
    owner: string,
    name: string | undefined,
    caps: Caps,
  ): Promise<Batch | undefined>;
  /** Gives an unpublished batch a new name. */
  rename(stream: string, from: string, to: string): Promise<void>;
  /** Removes the events of a published batch. */
  finish(stream: string, id: string): Promise<void>;
  /** Ends a refused batch. The named events are parked, and the others wait again. */
  park(stream: string, id: string, reasons: ReadonlyMap<string, string>): Promise<void>;
  /** Ends the leases of a relay. */
  release(owner: string): Promise<void>;
  /** Returns those of the given keys that have unpublished events. */
  waitingKeys(stream: string, keys: readonly string[]): Promise<ReadonlySet<string>>;
};

import type { OutboxRow } from "./event.ts";

/** Events that are published in one request under one name. */
export type Batch = {
  /** The Idempotency-Key. */
  readonly id: string;
  /** How long ago it was named, by the clock of the database. */
  readonly ageMs: number;
  /** In the order of their positions. */
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
 * What a relay needs of an outbox. Each call is one transaction. A stream has at most one batch at
 * a time. It exists from `batch` until `finish` or `park`, also if another relay takes the lease.
 */
export type OutboxStore = {
  /** The streams that have something to publish. */
  streams(): Promise<readonly string[]>;
  /** Takes or renews the lease of a stream. False if another relay has it. */
  claim(stream: string, owner: string, leaseMs: number): Promise<boolean>;
  /**
   * The batch that was begun. If there is none and a name is given, the owner of the lease begins
   * one with all visible events by position, up to the caps.
   */
  batch(
    stream: string,
    owner: string,
    name: string | undefined,
    caps: Caps,
  ): Promise<Batch | undefined>;
  /** Gives a batch that was not published another name. */
  rename(stream: string, from: string, to: string): Promise<void>;
  /** Removes the events of a published batch. */
  finish(stream: string, id: string): Promise<void>;
  /** Ends a batch that was refused. The named events are parked, and the others wait again. */
  park(stream: string, id: string, reasons: ReadonlyMap<string, string>): Promise<void>;
  /** Ends the leases of a relay. */
  release(owner: string): Promise<void>;
  /** Which of these keys have events that are not published. */
  waitingKeys(stream: string, keys: readonly string[]): Promise<ReadonlySet<string>>;
};

import type { Lag, Page } from "../events/event.ts";

/** A place where reading starts. */
export type Place =
  | "earliest"
  | "latest"
  | "bootstrap"
  | { readonly timestamp: string }
  | { readonly sequence: number }
  | { readonly cursor: string }
  /** The states that changed since a cursor, each once, deletions included, and then the log. */
  | { readonly since: string };

export type Filter = {
  readonly types?: readonly string[] | undefined;
  readonly keyPrefix?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/**
 * The fields that a client reads: JSON pointers into the data, by type of event. `*` means
 * each item of a list.
 */
export type Reads = Readonly<Record<string, readonly string[]>>;

export type SubscriptionSettings = {
  /** If given, the subscription is created if it does not exist. */
  readonly start?: Place | undefined;
  readonly filter?: Filter | undefined;
  readonly leaseSeconds?: number | undefined;
  readonly maxDeliveries?: number | undefined;
  /** A change of the stream's schemas that breaks one of these fields is refused. */
  readonly reads?: Reads | undefined;
  /**
   * The name of this process among those that share the subscription. The default is a random name.
   * A process that restarts under its own name has its share again at once. Under a new name it
   * waits until the lease of the old one has ended. `false`: this is the only process.
   */
  readonly consumer?: string | false | undefined;
};

export type SubscriptionInfo = {
  readonly name: string;
  readonly stream: string;
  readonly life: string;
  readonly phase: "bootstrap" | "log";
  readonly position: string | null;
  readonly lag: Lag;
  readonly keysBehind: number | null;
  readonly parkedKeys: number;
  readonly members: readonly {
    readonly consumer: string;
    readonly share: number;
    readonly until: string;
  }[];
  /** The state of its push. Absent when its events are not pushed. */
  readonly push?: "enabled" | "failing" | "disabled";
  readonly leaseSeconds: number;
  readonly maxDeliveries?: number;
  readonly filter?: Filter;
  readonly reads?: Reads;
  readonly warnings: readonly string[];
};

export type ParkedKey = {
  readonly key: string;
  readonly sequence: number;
  readonly reason: string;
  readonly parkedAt: string;
  readonly status: "parked" | "retrying";
  readonly expired?: boolean;
};

export type SeekReceipt = {
  readonly committed: string;
  readonly phase: "bootstrap" | "log";
  readonly lag: Lag;
  readonly life: string;
};

/** A page of a subscription. */
export type PollPage<E> = Page<E> & {
  readonly phase: "bootstrap" | "log";
  readonly snapshotEnd: boolean;
  /** With this page applied, the state of every key is the same as in the log at the cursor. */
  readonly consistent: boolean;
  readonly lag: Lag;
  /**
   * The stream was created again, or the table was restored, since the last page. All data that was
   * derived from the stream is void.
   */
  readonly isNewLife: boolean;
};

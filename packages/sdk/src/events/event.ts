/** An event to publish. */
export type NewEvent<Type extends string | undefined = string | undefined, Data = unknown> = {
  /** The subject of the event. Events of one key keep their order. */
  readonly key: string;
  readonly data: Data;
  readonly id?: string | undefined;
  /** When it happened, as RFC 3339. */
  readonly time?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Publishes the event only if this is the last sequence of its key. 0 or null: only if the key
   * has no state.
   */
  readonly expectedSequence?: number | null | undefined;
} & (undefined extends Type ? { readonly type?: Type } : { readonly type: Type });

type Received = {
  readonly key: string;
  /** Rises along each key within one `life` of the stream. */
  readonly sequence: number;
  readonly id: string;
  readonly publishedAt: string;
  readonly time?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** True when an erasure took the headers and the data. The event then reads as a deletion. */
  readonly erased?: true;
  /** In the tombstone of an erasure, its id: delete all copies of the key's earlier data. */
  readonly erasure?: string;
};

/** A received event with data. */
export type DataEvent<Type extends string | undefined, Data> = Received & {
  readonly isDeletion: false;
  readonly data: Data;
} & (undefined extends Type ? { readonly type?: string } : { readonly type: Type });

/** A tombstone: it deletes its key. */
export type Deletion = Received & {
  readonly isDeletion: true;
  readonly type?: string;
  readonly data: null;
};

export type LedgerEvent<Type extends string | undefined = undefined, Data = unknown> =
  | DataEvent<Type, Data>
  | Deletion;

/** A published event: its key, its id and its sequence. */
export type Published = { readonly key: string; readonly id: string; readonly sequence: number };

/** The published events, in the order in which they were sent. They are durable. */
export type Receipt = {
  readonly events: readonly Published[];
  /** The position right after these events. */
  readonly cursor: string;
  readonly life: string;
};

export type Lag = { readonly events: number; readonly seconds: number };

/** A sequence of events, and the cursor after them. */
export type Page<E> = {
  readonly events: readonly E[];
  readonly cursor: string;
  /** True when every event that was durable before the request comes before the cursor. */
  readonly caughtUp: boolean;
  readonly life: string;
  readonly waitSecondsAdvised: number;
  readonly nextPollMs?: number;
  readonly lag?: Lag;
};

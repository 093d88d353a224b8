/** An event as a publisher hands it in. */
export type NewEvent<Type extends string | undefined = string | undefined, Data = unknown> = {
  /** What the event is about. Events of one key keep their order. */
  readonly key: string;
  readonly data: Data;
  readonly id?: string | undefined;
  /** When it happened, RFC 3339. */
  readonly time?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Publish only if this is the last sequence of the key; 0 or null: if it has no state. */
  readonly expectedSequence?: number | null | undefined;
} & (undefined extends Type ? { readonly type?: Type } : { readonly type: Type });

type Received = {
  readonly key: string;
  /** Rises along each key, within one `life` of the stream. */
  readonly sequence: number;
  readonly id: string;
  readonly publishedAt: string;
  readonly time?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** An event with data, as a reader receives it. */
export type DataEvent<Type extends string | undefined, Data> = Received & {
  readonly isDeletion: false;
  readonly data: Data;
} & (undefined extends Type ? { readonly type?: string } : { readonly type: Type });

/** A tombstone: its key is deleted. */
export type Deletion = Received & {
  readonly isDeletion: true;
  readonly type?: string;
  readonly data: null;
};

export type LedgerEvent<Type extends string | undefined = undefined, Data = unknown> =
  | DataEvent<Type, Data>
  | Deletion;

/** The number of a published event, with its key. */
export type Published = { readonly key: string; readonly id: string; readonly sequence: number };

/** What was published, durably, in the order in which it was sent. */
export type Receipt = {
  readonly events: readonly Published[];
  /** The position right after these events. */
  readonly cursor: string;
  readonly life: string;
};

export type Lag = { readonly events: number; readonly seconds: number };

/** A run of events, and the cursor after them. */
export type Page<E> = {
  readonly events: readonly E[];
  readonly cursor: string;
  /** Nothing that was durable before the request is left after the cursor. */
  readonly caughtUp: boolean;
  readonly life: string;
  readonly waitSecondsAdvised: number;
  readonly nextPollMs?: number;
  readonly lag?: Lag;
};

/** The progress of a copy. The store keeps it together with the rows. */
export type Mark = {
  /**
   * Rises with each change. If a process finds another version than its own, a replica has
   * overtaken it.
   */
  readonly version: number;
  /** The source of the copy: the stream and the prefix of its keys. */
  readonly of: string;
  /** The life of the stream that this round copies. Empty until the first page. */
  readonly life: string;
  /** The round number. Each time the copy is built from the start, a new round begins. */
  readonly round: number;
  /** The round that readers see. 0 until the first round is complete. */
  readonly shown: number;
  /**
   * Where the list of current states continues, or the list of those that changed: a cursor for
   * each of its parts, with a space in between. Null before the list is begun and after its end.
   */
  readonly listing: string | null;
  /** Where reading of the log continues. Null before the list is begun. */
  readonly follow: string | null;
  /** Whether the round is complete. */
  readonly ready: boolean;
};

export type Put<Row> = { readonly key: string; readonly row: Row; readonly sequence: number };

/** The changes of one page. */
export type Change<Row> = {
  readonly mark: Mark;
  readonly puts: readonly Put<Row>[];
  readonly deletes: readonly string[];
  /** Rows of earlier rounds than the mark's are no longer needed. */
  readonly sweep: boolean;
};

/**
 * The store of a view's copy. `apply` makes the whole change in one transaction, and only if the
 * stored version is the one before the mark's (0 without a mark). Otherwise it changes nothing and
 * returns false: another process keeps the same copy and has made this step.
 */
export type ViewStore<Row> = {
  load(): Mark | undefined | Promise<Mark | undefined>;
  apply(change: Change<Row>): boolean | Promise<boolean>;
  get(key: string, round: number): Found<Row> | undefined | Promise<Found<Row> | undefined>;
  /** Yields all rows of a round. */
  entries(round: number): Iterable<[string, Row]> | AsyncIterable<[string, Row]>;
};

export type Found<Row> = { readonly row: Row; readonly sequence: number };

/** How far a copy is, kept in its store together with the rows. */
export type Mark = {
  /** Rises with each change. A process that finds another one has been overtaken by a replica. */
  readonly version: number;
  /** What is copied: the stream and the beginning of its keys. */
  readonly of: string;
  /** The life of the stream that this round copies; empty until the first page. */
  readonly life: string;
  /** Each time that the copy is built from the start it is another round. */
  readonly round: number;
  /** The round that readers see; 0 before the first one is complete. */
  readonly shown: number;
  /** Where the list of current states goes on; null once it is read, or before it is begun. */
  readonly listing: string | null;
  /** Where reading the log goes on; null before the list is begun. */
  readonly follow: string | null;
  /** The round is complete. */
  readonly ready: boolean;
};

export type Put<Row> = { readonly key: string; readonly row: Row; readonly sequence: number };

/** What one page changes. */
export type Change<Row> = {
  readonly mark: Mark;
  readonly puts: readonly Put<Row>[];
  readonly deletes: readonly string[];
  /** Rows of rounds before that of the mark are no longer needed. */
  readonly sweep: boolean;
};

/**
 * Where a view keeps its copy. `apply` makes the whole change in one transaction, and only if the
 * version that is kept is the one before that of the mark (0 without a mark). Otherwise it changes
 * nothing and answers false: another process keeps the same copy, and has made that step.
 */
export type ViewStore<Row> = {
  load(): Mark | undefined | Promise<Mark | undefined>;
  apply(change: Change<Row>): boolean | Promise<boolean>;
  get(key: string, round: number): Found<Row> | undefined | Promise<Found<Row> | undefined>;
  /** All rows of a round. */
  entries(round: number): Iterable<[string, Row]> | AsyncIterable<[string, Row]>;
};

export type Found<Row> = { readonly row: Row; readonly sequence: number };

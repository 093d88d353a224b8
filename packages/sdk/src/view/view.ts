import type { Lag, Receipt } from "../events/event.ts";
import type { OnInvalid } from "../events/read-events.ts";
import type { ViewChange } from "./changes.ts";
import type { ViewStore } from "./store.ts";
import type { WaitOptions } from "./waiters.ts";

export type ViewOptions<Row, Store, Event> = {
  readonly store: Store & ViewStore<Row>;
  /** Copies only keys with this prefix. */
  readonly keyPrefix?: string | undefined;
  /**
   * Returns what the copy stores of an event. The default is its data. A key whose value is
   * undefined is left out.
   */
  readonly toRow?: ((event: Event) => Row | undefined) | undefined;
  /** What happens to an event that its schema refuses. The default is `throw`. */
  readonly onInvalid?: OnInvalid | undefined;
  readonly onStatus?: ((status: ViewStatus, cause: unknown) => void) | undefined;
};

/**
 * `loading`: nothing can be read so far. `live`: the view follows the stream. `stale`: the view
 * shows an earlier state, because the server cannot be reached or the copy is being built again.
 * `failed`: the view cannot follow until something is changed, such as the key. It keeps trying.
 */
export type ViewStatus = "loading" | "live" | "stale" | "failed";

export type View<Row, Store = ViewStore<Row>> = {
  readonly status: ViewStatus;
  /** Why the view has failed, or why the server cannot be reached. */
  readonly failure: unknown;
  readonly progress: {
    readonly round: number;
    readonly phase: "listing" | "following";
    /** The number of events and states that this process has applied. */
    readonly applied: number;
    readonly lag: Lag | undefined;
  };
  /** Resolves once everything that was published before the view was opened can be read. */
  ready(options?: WaitOptions): Promise<void>;
  get(key: string): IsAsync<Store> extends true ? Promise<Row | undefined> : Row | undefined;
  entries(): IsAsync<Store> extends true ? AsyncIterable<[string, Row]> : Iterable<[string, Row]>;
  /** Yields the changes from now on. */
  changes(): AsyncIterableIterator<ViewChange<Row>>;
  /** Resolves once the events of this receipt can be read here. */
  seen(receipt: Receipt, options?: WaitOptions): Promise<void>;
  /** Builds the copy again. Readers see the current one in the meantime. */
  rebuild(): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

type IsAsync<Store> = Store extends { get(...given: never): infer Answer }
  ? Promise<never> extends Answer
    ? true
    : Answer extends Promise<unknown>
      ? true
      : false
  : false;

import { type ConnectionOptions, openConnection } from "./connection-options.ts";
import { ask, type StreamContext, streamPath } from "./context.ts";
import { unlessRepeated } from "./errors.ts";
import type { LedgerEvent, NewEvent } from "./events/event.ts";
import type { Numbers, ReadAnswer } from "./events/numbers.ts";
import type { RawJson } from "./events/raw-json.ts";
import type { LedgerEventOf, NewEventOf, Schemas } from "./events/schema.ts";
import type { Call } from "./http/call.ts";
import type { Wait } from "./http/follow.ts";
import { type Stream, wholeStream } from "./stream.ts";

export type LedgerOptions = ConnectionOptions & {
  /**
   * How long polls wait for events: as the server advises (the default), or a number of seconds.
   */
  readonly wait?: Wait | undefined;
  /** How numbers in `data` are read. The default is `double`. `rawData` leaves data as text. */
  readonly numbers?: Numbers | ReadAnswer | undefined;
};

/** The settings of a new stream. */
export type StreamSettings = {
  readonly description?: string;
  readonly partitions?: number | "auto";
  readonly compaction?: "key" | "none";
  readonly retentionHours?: number;
};

type Signalled = { readonly signal?: AbortSignal | undefined };

/** The bearer of the API key. */
export type Whoami = {
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly streams: readonly string[];
  readonly waitSecondsAdvised: number;
} & Readonly<Record<string, unknown>>;

/** A client of one EventLedger. It holds no open connection, so there is nothing to close. */
export class EventLedger {
  readonly #context: Omit<StreamContext, "stream" | "schemas">;

  constructor({ wait = "advised", numbers = "double", ...options }: LedgerOptions) {
    this.#context = { connection: openConnection(options), numbers, wait };
  }

  /**
   * A stream whose events have schemas by type. Data is checked when it is published and when it is
   * read.
   */
  stream<S extends Schemas>(
    name: string,
    options: { readonly events: S },
  ): Stream<NewEventOf<S>, LedgerEventOf<S>>;
  /** A stream whose data has the given type, unchecked. */
  stream<Data = unknown>(
    name: string,
  ): Stream<NewEvent<string | undefined, Data | RawJson | null>, LedgerEvent<undefined, Data>>;
  stream(name: string, { events: schemas }: { readonly events?: Schemas } = {}): unknown {
    return wholeStream({ ...this.#context, stream: name, schemas });
  }

  /** Creates a stream. Repeating it with the same settings changes nothing. */
  async createStream(name: string, settings: StreamSettings = {}, how?: Signalled): Promise<void> {
    const body = { name, ...settings };
    await this.request({ method: "POST", path: "/streams", body, ...how });
  }

  /** Deletes a stream with all that it holds. */
  deleteStream(name: string, how?: Signalled): Promise<void> {
    const gone = this.request({ method: "DELETE", path: streamPath(name), ...how });
    return unlessRepeated(gone, "stream-not-found");
  }

  whoami(how?: Signalled): Promise<Whoami> {
    return this.request({ method: "GET", path: "/whoami", ...how });
  }

  /** Sends any request of the API, with the same retries and errors. */
  request<T = unknown>(call: Call): Promise<T> {
    return ask({ ...this.#context, numbers: "double" }, call);
  }
}

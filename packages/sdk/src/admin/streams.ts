import { streamPath } from "../context.ts";
import { unlessRepeated } from "../errors.ts";
import type { Connection } from "../http/request.ts";
import { each, type Listing, type Send, type Signalled } from "./send.ts";
import type { NewExport, NewSchemas, NewStream, StreamChange } from "./settings.ts";
import type {
  ArchiveReceipt,
  ArchiveSegment,
  ArchiveVerification,
  CompactReceipt,
  Erasure,
  ErasureCheck,
  Export,
  ListedErasure,
  ListedStream,
  SchemaCheck,
  Schemas,
  StreamAnswer,
  StreamDeletion,
  StreamInfo,
} from "./stream-answers.ts";

export const streams = (send: Send, connection: Connection) => ({
  list: (how?: Listing) => each<ListedStream>(send, "/streams", "streams", how),
  get: (name: string, how?: Signalled): Promise<StreamInfo> => send("GET", streamPath(name), how),
  create: (name: string, settings: NewStream = {}, how?: Signalled): Promise<StreamAnswer> =>
    send("POST", "/streams", { body: { name, ...settings }, ...how }),
  change: (name: string, body: StreamChange, how?: Signalled): Promise<StreamAnswer> =>
    send("PATCH", streamPath(name), { body, ...how }),
  /**
   * Returns undefined when the stream is already gone, perhaps because of an earlier attempt of
   * this call.
   */
  async delete(name: string, how?: Signalled): Promise<StreamDeletion | undefined> {
    let deletion: StreamDeletion | undefined;
    const sent = send<StreamDeletion>("DELETE", streamPath(name), how).then((answer) => {
      deletion = answer;
    });
    await unlessRepeated(sent, "stream-not-found");
    return deletion;
  },
  /** Compacts for a bounded time. `done: false` says that more remains. */
  compact: (name: string, how?: Signalled): Promise<CompactReceipt> =>
    send("POST", `${streamPath(name)}/compact`, { body: {}, ...how }),
  /** Archives for a bounded time. `done: false` says that more remains. */
  archive: (name: string, how?: Signalled): Promise<ArchiveReceipt> =>
    send("POST", `${streamPath(name)}/archive`, how),
  segments: (name: string, how?: Signalled) =>
    each<ArchiveSegment>(send, `${streamPath(name)}/archive`, "segments", how),
  /** Verifies for a bounded time, from the start or from the cursor of the previous answer. */
  verify: (name: string, cursor?: string, how?: Signalled): Promise<ArchiveVerification> =>
    send("POST", `${streamPath(name)}/archive/verify`, { query: { cursor }, ...how }),
  exports: exportsOf(send),
  erasures: erasuresOf(send),
  /** The compacted state of a key, as the text of the answer: for `rawData`. */
  async stateText(name: string, key: string, how?: Signalled): Promise<string> {
    const path = `${streamPath(name)}/compacted`;
    return (await connection.request({ method: "GET", path, query: { key }, ...how })).text;
  },
  /** A page of compacted states, as the text of the answer: for `rawData`. */
  async statesText(
    name: string,
    query: Readonly<Record<string, string | undefined>>,
    how?: Signalled,
  ): Promise<string> {
    const path = `${streamPath(name)}/compacted`;
    const { signal } = how ?? {};
    return (await connection.request({ method: "GET", path, query, signal })).text;
  },
});

const exportsOf = (send: Send) => {
  const pathOf = (stream: string, id = "") => `${streamPath(stream)}/exports${id && `/${id}`}`;
  return {
    /** Begins an export. Call `get` until it is done. */
    create: (stream: string, what: NewExport = {}, how?: Signalled): Promise<Export> =>
      send("POST", pathOf(stream), { body: what, ...how }),
    /** Continues an export for some seconds, and returns a page of its parts. */
    get: (
      stream: string,
      id: string,
      page: { readonly cursor?: string | undefined; readonly limit?: number } = {},
      how?: Signalled,
    ): Promise<Export> => send("GET", pathOf(stream, id), { query: page, ...how }),
    delete: (stream: string, id: string, how?: Signalled): Promise<void> =>
      send("DELETE", pathOf(stream, id), how),
  };
};

const erasuresOf = (send: Send) => {
  const pathOf = (stream: string, id = "") => `${streamPath(stream)}/erasures${id && `/${id}`}`;
  return {
    /** Erases the data of a key. Call `get` until it is done. */
    create: (
      stream: string,
      body: { readonly key: string; readonly reason: string },
      how?: Signalled,
    ): Promise<Erasure> => send("POST", pathOf(stream), { body, ...how }),
    get: (stream: string, id: string, how?: Signalled): Promise<Erasure> =>
      send("GET", pathOf(stream, id), how),
    list: (stream: string, how?: Omit<Listing, "stats">) =>
      each<ListedErasure>(send, pathOf(stream), "erasures", how),
    /** Looks for what is left, for a bounded time, from the start or from a `cursor`. */
    verify: (stream: string, id: string, cursor?: string, how?: Signalled): Promise<ErasureCheck> =>
      send("POST", `${pathOf(stream, id)}/verify`, { query: { cursor }, ...how }),
  };
};

export const schemas = (send: Send, path: string) => ({
  get: (how?: Signalled): Promise<Schemas> => send("GET", path, how),
  /**
   * Replaces all schemas. `force` also changes what the mode forbids, or what subscriptions read.
   */
  set: (
    wanted: NewSchemas,
    { force = false, ...how }: Signalled & { readonly force?: boolean | undefined } = {},
  ): Promise<Schemas> =>
    send("PUT", path, { body: wanted, query: { force: force ? "true" : undefined }, ...how }),
  /** What `set` would do. Changes nothing. */
  check: (wanted: NewSchemas, how?: Signalled): Promise<SchemaCheck> =>
    send("POST", `${path}/check`, { body: wanted, ...how }),
});

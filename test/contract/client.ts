import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import {
  type BrowseQuery,
  CommitReceipt,
  CommittedPollPage,
  CompactedList,
  type CompactedQuery,
  CompactReceipt,
  type CreateStream,
  type CreateSubscription,
  EventPage,
  LedgerEvent,
  type ListQuery,
  type NewEvent,
  type ParkBody,
  ParkedKey,
  ParkedList,
  PatchedSubscription,
  type PatchStream,
  type PatchSubscription,
  type PollBody,
  PollPage,
  type PollQuery,
  PublishReceipt,
  ReleaseReceipt,
  RepairReceipt,
  type SeekBody,
  SeekReceipt,
  type SkipQuery,
  type StatsListQuery,
  Stream,
  StreamDeletion,
  StreamInfo,
  StreamList,
  Subscription,
  SubscriptionInfo,
  SubscriptionList,
} from "@eventledger/protocol";
import { expect } from "vitest";
import * as z from "zod/mini";
import { type Answer, type Call, parseProblem, Refused, send, type Target } from "./wire.ts";

type Query<S extends z.ZodMiniType> = Partial<Readonly<Record<keyof z.input<S>, unknown>>>;
type NewStream = z.input<typeof CreateStream>;

export type Publishing = {
  readonly idempotencyKey?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/**
 * Creates a client with one function per route. Every answer is parsed with the protocol's schema
 * of its route, and may contain nothing that the schema does not declare. An error rejects with
 * `Refused`.
 */
export function createClient(target: Target) {
  const made: string[] = [];

  async function call<S extends z.ZodMiniType>(
    of: Call & { json?: unknown; statuses: readonly number[]; schema: S },
  ): Promise<Answer<z.output<S>>> {
    const { json, statuses, schema, ...rest } = of;
    const headers = json === undefined ? {} : { "content-type": "application/json" };
    const answer = await send(target, {
      ...rest,
      headers: { ...headers, ...of.headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    if (answer.status >= 400) throw new Refused(of, { ...answer, body: parseProblem(answer) });
    expect(statuses, `${of.method ?? "GET"} ${of.path}`).toContain(answer.status);
    const body = schema.parse(answer.body);
    // The comparison of vitest takes most of the time of a long page.
    if (!isDeepStrictEqual(body, answer.body)) {
      expect(body, "a member that the schema does not declare").toEqual(answer.body);
    }
    return { ...answer, body };
  }

  const publish = (
    stream: string,
    body: NewEvent | readonly NewEvent[] | string | Uint8Array,
    { idempotencyKey, contentType = "application/json", headers = {} }: Publishing = {},
  ) =>
    call({
      method: "POST",
      path: `${at(stream)}/events`,
      headers: {
        "content-type": contentType,
        ...headers,
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      body: toBody(body),
      statuses: [200, 201],
      schema: PublishReceipt,
    });

  const browse = (stream: string, query: Query<typeof BrowseQuery> = {}) =>
    call({ path: `${at(stream)}/events${search(query)}`, statuses: [200], schema: EventPage });

  const poll = (stream: string, name: string, query: Query<typeof PollQuery> = {}) =>
    call({
      path: `${at(stream, name)}/poll${search(query)}`,
      statuses: [200],
      schema: PollPage,
    });

  const createStream = async (json: NewStream) => {
    const answer = await call({
      method: "POST",
      path: "/streams",
      json,
      statuses: [200, 201],
      schema: Stream,
    });
    if (answer.status === 201) made.push(json.name);
    return answer;
  };

  const deleteStream = (stream: string) =>
    call({ method: "DELETE", path: at(stream), statuses: [202], schema: StreamDeletion });

  return {
    target,
    send: (request: Call) => send(target, request),
    createStream,
    deleteStream,
    publish,
    browse,
    poll,

    /** Creates a stream that no other test uses. Returns its name. */
    async newStream(config: Omit<NewStream, "name"> = {}): Promise<string> {
      const { body } = await createStream({ name: newName(), ...config });
      return body.name;
    },

    listStreams: (query: Query<typeof StatsListQuery> = {}) =>
      call({ path: `/streams${search(query)}`, statuses: [200], schema: StreamList }),

    getStream: async (stream: string) =>
      (await call({ path: at(stream), statuses: [200], schema: StreamInfo })).body,

    patchStream: (stream: string, json: PatchStream) =>
      call({ method: "PATCH", path: at(stream), json, statuses: [200], schema: Stream }),

    createSubscription: (stream: string, json: z.input<typeof CreateSubscription>) =>
      call({
        method: "POST",
        path: `${at(stream)}/subscriptions`,
        json,
        statuses: [200, 201],
        schema: Subscription,
      }),

    listSubscriptions: (stream: string, query: Query<typeof StatsListQuery> = {}) =>
      call({
        path: `${at(stream)}/subscriptions${search(query)}`,
        statuses: [200],
        schema: SubscriptionList,
      }),

    getSubscription: async (stream: string, name: string) =>
      (await call({ path: at(stream, name), statuses: [200], schema: SubscriptionInfo })).body,

    patchSubscription: (stream: string, name: string, json: z.input<typeof PatchSubscription>) =>
      call({
        method: "PATCH",
        path: at(stream, name),
        json,
        statuses: [200],
        schema: PatchedSubscription,
      }),

    deleteSubscription: (stream: string, name: string) =>
      call({ method: "DELETE", path: at(stream, name), statuses: [204], schema: z.literal("") }),

    commit: (stream: string, name: string, cursor: string) =>
      call({
        method: "POST",
        path: `${at(stream, name)}/commit`,
        json: { cursor },
        statuses: [200],
        schema: CommitReceipt,
      }),

    compact: async (stream: string) =>
      (
        await call({
          method: "POST",
          path: `${at(stream)}/compact`,
          statuses: [200],
          schema: CompactReceipt,
        })
      ).body,

    repairNumbering: async (stream: string) =>
      (
        await call({
          method: "POST",
          path: `${at(stream)}/repair-numbering`,
          statuses: [200],
          schema: RepairReceipt,
        })
      ).body,

    listCompacted: async (stream: string, query: Query<typeof CompactedQuery> = {}) =>
      (
        await call({
          path: `${at(stream)}/compacted${search(query)}`,
          statuses: [200],
          schema: CompactedList,
        })
      ).body,

    getCompacted: (stream: string, key: string) =>
      call({
        // Some entry points do not pass every key through a path.
        path: /^\w+$/.test(key)
          ? `${at(stream)}/compacted/${key}`
          : `${at(stream)}/compacted${search({ key })}`,
        statuses: [200],
        schema: LedgerEvent,
      }),

    commitAndPoll: (stream: string, name: string, json: z.input<typeof PollBody>) =>
      call({
        method: "POST",
        path: `${at(stream, name)}/poll`,
        json,
        statuses: [200],
        schema: CommittedPollPage,
      }),

    leave: (stream: string, name: string, consumer: string) =>
      call({
        method: "POST",
        path: `${at(stream, name)}/leave`,
        json: { consumer },
        statuses: [204],
        schema: z.literal(""),
      }),

    park: async (stream: string, name: string, json: z.input<typeof ParkBody>) =>
      (
        await call({
          method: "POST",
          path: `${at(stream, name)}/park`,
          json,
          statuses: [200],
          schema: ParkedKey,
        })
      ).body,

    listParked: async (stream: string, name: string, query: Query<typeof ListQuery> = {}) =>
      (
        await call({
          path: `${at(stream, name)}/parked${search(query)}`,
          statuses: [200],
          schema: ParkedList,
        })
      ).body,

    release: async (
      stream: string,
      name: string,
      key: string,
      how: "retry" | "skip",
      query: Query<typeof SkipQuery> = {},
    ) =>
      (
        await call({
          method: "POST",
          path: /^\w+$/.test(key)
            ? `${at(stream, name)}/parked/${key}/${how}${search(query)}`
            : `${at(stream, name)}/parked/${how}${search({ ...query, key })}`,
          statuses: [200],
          schema: ReleaseReceipt,
        })
      ).body,

    seek: (
      stream: string,
      name: string,
      to: z.input<typeof SeekBody>["to"],
      how: Omit<z.input<typeof SeekBody>, "to"> = {},
    ) =>
      call({
        method: "POST",
        path: `${at(stream, name)}/seek`,
        json: { to, ...how },
        statuses: [200],
        schema: SeekReceipt,
      }),

    /**
     * Reads everything after `from`, page by page. Each page must respect `limit`, and a page that
     * is not the last must not be empty.
     */
    async readAll(stream: string, from = "earliest", limit = 1_000): Promise<LedgerEvent[]> {
      const events: LedgerEvent[] = [];
      for (let at = from; ; ) {
        const { body } = await browse(stream, { from: at, limit });
        expect(body.events.length).toBeLessThanOrEqual(limit);
        events.push(...body.events);
        if (body.caughtUp) return events;
        expect(body.events, "a page without a filter that is not the end").not.toEqual([]);
        at = body.cursor;
      }
    },

    /** Deletes every stream that was created here, so that a deployed stage stays as it was. */
    async cleanUp(): Promise<void> {
      for (const name of made.splice(0)) await send(target, { method: "DELETE", path: at(name) });
    },
  };
}

export type Client = ReturnType<typeof createClient>;

/** Returns a name that no other run uses. */
export const newName = (): string => `contract-${randomBytes(6).toString("hex")}`;

/** Returns the path of a stream or of one of its subscriptions. */
export const at = (stream: string, subscription?: string): string =>
  `/streams/${stream}${subscription === undefined ? "" : `/subscriptions/${subscription}`}`;

/** Returns a query string. Undefined members are left out. */
export function search(query: Readonly<Record<string, unknown>>): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) text.append(name, String(value));
  }
  return text.size === 0 ? "" : `?${text}`;
}

const toBody = (body: NewEvent | readonly NewEvent[] | string | Uint8Array) => {
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  return JSON.stringify(Array.isArray(body) ? { events: body } : body);
};

import { orderEvents } from "../test/support/order-events.ts";

/** A server that accepts events by HTTP, and the form that it expects. */
export type Target = {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The status of an answer that says that the events are stored. */
  readonly status: number;
  readonly shape: Shape;
  /** Whether each request has an Idempotency-Key of its own. */
  readonly idempotent?: boolean;
};

/**
 * `ledger` is the body of EventLedger's publish: an event, or `{ events }`. `array` is an event, or
 * an array of events. `kinesis` is that of PutRecord and PutRecords.
 */
export type Shape = "ledger" | "array" | "kinesis";

/** What one producer repeats: a request for `n` events, before it has an Idempotency-Key. */
export type Load = {
  readonly target: Target;
  readonly producers: number;
  readonly n: number;
  /** The load ends after a time, or after a number of requests in all. */
  readonly until: { readonly seconds: number } | { readonly requests: number };
  readonly warmUpMs: number;
};

/** Events of these many keys are sent in turn. */
const KEYS = 20_000;

/** Returns bodies with `n` events each. Together they have up to `KEYS` keys. */
export function bodiesOf(shape: Shape, n: number): string[] {
  const events = orderEvents(1_000).map(({ key: _, ...event }) => event);
  const bodies = Math.min(1_000, Math.floor(KEYS / n));
  return Array.from({ length: bodies }, (_, body) => {
    const own = Array.from({ length: n }, (_, index) => {
      const at = body * n + index;
      return { key: `order-${(at * 7_919) % KEYS}`, ...events[at % events.length] };
    });
    return JSON.stringify(SHAPES[shape](own));
  });
}

type Event = { readonly key: string };

const SHAPES: Readonly<Record<Shape, (events: readonly Event[]) => unknown>> = {
  ledger: (events) => (events.length === 1 ? events[0] : { events }),
  array: (events) => (events.length === 1 ? events[0] : events),
  kinesis: (events) => {
    const records = events.map((event) => ({
      PartitionKey: event.key,
      Data: Buffer.from(JSON.stringify(event)).toString("base64"),
    }));
    const name = { StreamName: "bench" };
    return records.length === 1 ? { ...name, ...records[0] } : { ...name, Records: records };
  },
};

export const ledgerTarget = (url: string, apiKey: string, stream: string): Target => ({
  url,
  path: `/streams/${stream}/events`,
  headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
  status: 201,
  shape: "ledger",
});

import type { ProblemCode } from "@eventledger/protocol";
import { LedgerError } from "../../../packages/core/src/kernel/error.ts";
import type { Ledger } from "../../../packages/core/src/ledger.ts";
import type { IncomingEvent, StoredEvent } from "../../../packages/core/src/model/event.ts";
import { NoAnswer } from "../../simulation/world/recorder.ts";

const TIMEOUT_MS = 12_000;

/** Returns the operations of the ledger that the simulated clients use, over HTTP. */
export function createHttpLedger(url: () => string, apiKey: string): Ledger {
  const send = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url()}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          "content-type": "application/json",
          ...headers,
        },
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch {
      throw new NoAnswer();
    }
    const answer = text === "" ? {} : JSON.parse(text);
    if (response.ok) return { ...answer, status: response.status };
    const { code, detail, mismatches } = answer;
    const facts = mismatches === undefined ? {} : { facts: { mismatches } };
    throw new LedgerError(code as ProblemCode, { detail: String(detail), ...facts });
  };
  const at = (stream: string) => `/streams/${stream}`;
  const subscriptionAt = (stream: string, name: string) => `${at(stream)}/subscriptions/${name}`;
  const query = (of: object) =>
    new URLSearchParams(
      Object.entries(of).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)] as [string, string]],
      ),
    );

  const operations = {
    createStream: (_: unknown, { archiveDays: __, ...config }: { archiveDays: unknown }) =>
      send("POST", "/streams", config),
    deleteStream: (_: unknown, stream: string) => send("DELETE", at(stream)),
    patchStream: (_: unknown, stream: string, changes: object) =>
      send("PATCH", at(stream), changes),
    publish: async (
      _: unknown,
      stream: string,
      events: readonly IncomingEvent[],
      { idempotencyKey }: { readonly idempotencyKey?: string } = {},
    ) => {
      const condition = conditionOf(events);
      const list = events.map(({ attributes, data, expectedSequence }) => ({
        ...attributes,
        data: JSON.parse(data),
        ...(condition === undefined && expectedSequence !== undefined ? { expectedSequence } : {}),
      }));
      const key = idempotencyKey?.replaceAll(" ", "-");
      const headers = { ...(key === undefined ? {} : { "idempotency-key": key }), ...condition };
      const receipt = await send("POST", `${at(stream)}/events`, { events: list }, headers);
      return { ...receipt, replayed: receipt.status === 200 };
    },
    browse: async (_: unknown, stream: string, of: object) =>
      toPage(await send("GET", `${at(stream)}/events?${query(of)}`)),
    createSubscription: async (_: unknown, stream: string, config: object) => ({
      created: (await send("POST", `${at(stream)}/subscriptions`, config)).status === 201,
    }),
    deleteSubscription: (_: unknown, stream: string, name: string) =>
      send("DELETE", subscriptionAt(stream, name)),
    poll: async (_: unknown, stream: string, name: string, of: object) =>
      toPage(await send("GET", `${subscriptionAt(stream, name)}/poll?${query(of)}`)),
    commit: (_: unknown, stream: string, name: string, cursor: string) =>
      send("POST", `${subscriptionAt(stream, name)}/commit`, { cursor }),
    leave: (_: unknown, stream: string, name: string, consumer: string) =>
      send("POST", `${subscriptionAt(stream, name)}/leave`, { consumer }),
    seek: (_: unknown, stream: string, name: string, body: object) =>
      send("POST", `${subscriptionAt(stream, name)}/seek`, body),
    compact: (_: unknown, stream: string) => send("POST", `${at(stream)}/compact`, {}),
  };
  // The clients use only these operations. They return what the operations of the ledger return.
  return operations as unknown as Ledger;
}

/**
 * Returns the expectation of a request with one key as a header. Returns undefined when the body
 * states the expectation.
 */
function conditionOf(events: readonly IncomingEvent[]): Record<string, string> | undefined {
  const [event] = events;
  if (events.length > 1 || event?.expectedSequence === undefined) return undefined;
  const { expectedSequence } = event;
  return expectedSequence === 0
    ? { "if-none-match": "*" }
    : { "if-match": `"${expectedSequence}"` };
}

type WireEvent = Omit<StoredEvent, "data"> & { readonly data: unknown };

/** Returns a page whose data are texts, as the ledger returns them. */
const toPage = ({ events, ...page }: { events: readonly WireEvent[] }) => ({
  ...page,
  events: events.map(({ data, ...event }) => ({ ...event, data: JSON.stringify(data) })),
});

import { LedgerError } from "../../../../packages/core/src/kernel/error.ts";
import type { Published } from "../../../../packages/core/src/log/append/request.ts";
import type { IncomingEvent, RawJson } from "../../../../packages/core/src/model/event.ts";

/** One call of publish: when it began and ended, in ticks of its history, and its answer. */
export type Call = {
  readonly sentAt: number;
  endedAt: number;
  /**
   * `rejected`: the answer says that this call did not add it to the log. `open`: there was no
   * answer.
   */
  outcome: "acknowledged" | "replayed" | "rejected" | "unknown" | "open";
  /** The code of the error, if there was one. */
  code?: string;
  published?: Published;
};

/** One request. It is sent once, or with an idempotency key any number of times. */
export type Request = {
  readonly name: string;
  readonly idempotencyKey?: string;
  readonly events: readonly IncomingEvent[];
  readonly calls: Call[];
};

export type History = {
  readonly requests: readonly Request[];
  /** Adds a request whose events no other request has. */
  add(keys: readonly string[], idempotencyKey?: string): Request;
  /**
   * Makes a call of a request and records it. Throws only errors that no publisher may ever see.
   */
  record(
    request: Request,
    publish: () => Promise<Published & { replayed: boolean }>,
  ): Promise<Call>;
  count(outcome: Call["outcome"]): number;
  /** Returns a moment in the same order as the beginnings and ends of calls. */
  tick(): number;
};

const REJECTIONS = new Set([
  "stream-busy",
  "stream-not-found",
  "store-unavailable",
  "too-many-requests",
  "compaction-stalled",
  "numbering-at-risk",
]);

/** The requests of publishers and their answers, in one order of events that they all share. */
export function createHistory(): History {
  const requests: Request[] = [];
  let tick = 0;
  return {
    requests,
    tick: () => tick++,
    add: (keys, idempotencyKey) => {
      const name = `r${requests.length}`;
      const request: Request = {
        name,
        events: keys.map((key, part) => eventOf(name, part, key)),
        calls: [],
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      };
      requests.push(request);
      return request;
    },
    record: async (request, publish) => {
      const call: Call = { sentAt: tick++, endedAt: Infinity, outcome: "open" };
      request.calls.push(call);
      try {
        const published = await publish();
        call.published = published;
        call.outcome = published.replayed ? "replayed" : "acknowledged";
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
        call.code = error.code;
        if (error.code === "outcome-unknown") call.outcome = "unknown";
        else if (REJECTIONS.has(error.code)) call.outcome = "rejected";
        else throw error;
      }
      call.endedAt = tick++;
      return call;
    },
    count: (outcome) =>
      requests.flatMap(({ calls }) => calls).filter((call) => call.outcome === outcome).length,
  };
}

const eventOf = (request: string, part: number, key: string): IncomingEvent => ({
  attributes: { key },
  data: JSON.stringify({ request, part }) as RawJson,
});

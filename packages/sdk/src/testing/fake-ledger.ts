import type { Fetch } from "../http/call.ts";
import { systemClock } from "../http/clock.ts";
import type { LedgerOptions } from "../ledger.ts";
import type { Place } from "../subscription/settings.ts";
import { type FakeCode, Refusal } from "./fake-problem.ts";
import { answer } from "./fake-routes.ts";
import type { FakeState } from "./fake-state.ts";
import { moveTo } from "./fake-subscription.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

/** An EventLedger in memory, for tests: `new EventLedger(fake.options)`. */
export type FakeLedger = {
  readonly options: LedgerOptions;
  readonly fetch: Fetch;
  /** The received requests, in order. */
  readonly requests: readonly FakeRequest[];
  /** Advances the time. Leases end, and waiting polls are answered. */
  advance(ms: number): Promise<void>;
  /** The next requests take effect and their answers are lost, or they never arrive. */
  lose(what: "answer" | "request", times?: number): void;
  /** The next requests are answered with a problem, and have no effect. */
  refuse(code: FakeCode, times?: number): void;
  /** Whether requests reach the ledger. */
  setAway(isAway: boolean): void;
  /** Revokes the API key. */
  revoke(): void;
  /** Moves a subscription, as an operator does. */
  seek(stream: string, subscription: string, to: Place): void;
  /** Deletes the stream and creates it again, as a new life. */
  recreate(stream: string): void;
  /** Ends the retention of all events in the log. */
  expire(stream: string): void;
};

export type FakeRequest = { readonly method: string; readonly path: string; readonly at: number };

export type FakeOptions = {
  /** The streams that exist at the start. */
  readonly streams?: readonly string[];
  /**
   * If true, time passes only by `advance`, also for the client. Otherwise it also passes by
   * itself.
   */
  readonly virtualTime?: boolean;
};

const API_KEY = "elk_test_fake";

export function fakeLedger({ streams = [], virtualTime = false }: FakeOptions = {}): FakeLedger {
  const virtual: VirtualClock | undefined = virtualTime ? createVirtualClock() : undefined;
  const clock = virtual ?? systemClock;
  const began = Date.now() - clock.now();
  let skippedMs = 0;
  let isAway = false;
  let isRevoked = false;
  const faults: ({ lose: "answer" | "request" } | { code: FakeCode })[] = [];
  const requests: FakeRequest[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const resume of waiting) resume();
  };
  const state: FakeState = {
    streams: new Map(),
    lives: 0,
    now: () => began + clock.now() + skippedMs,
    changed: (ms) =>
      new Promise((resolve) => {
        const resume = () => {
          cancel();
          waiting.delete(resume);
          resolve();
        };
        const cancel = clock.after(ms, resume);
        waiting.add(resume);
      }),
  };

  const fetch: Fetch = async (url, init) => {
    const { pathname: path, searchParams } = new URL(url);
    requests.push({ method: init.method, path, at: clock.now() });
    await undefined;
    if (isAway) throw unreachable("ECONNREFUSED");
    const fault = faults.shift();
    if (fault !== undefined && "lose" in fault && fault.lose === "request") throw unreachable();
    const running = respond({ path, query: Object.fromEntries(searchParams), init, fault });
    const response = await Promise.race([running, aborted(init.signal)]);
    if (isAway || (fault !== undefined && "lose" in fault)) throw unreachable();
    return response;
  };

  async function respond({ path, query, init, fault }: Received) {
    const requestId = `fake-request-${requests.length}`;
    try {
      const isKnown = init.headers.Authorization === `Bearer ${API_KEY}`;
      if (!isKnown || isRevoked) throw new Refusal("unauthorized", "The key is not valid");
      if (fault !== undefined && "code" in fault)
        throw new Refusal(fault.code, "The test has asked for this refusal");
      const headers = new Map(
        Object.entries(init.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      const { status, body } = await answer(state, {
        method: init.method,
        path,
        query,
        header: (name) => headers.get(name),
        ...parseBody(init.body),
      });
      if (init.method !== "GET") wake();
      return toResponse(status, body, requestId);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return toResponse(error.status, { ...error.body, instance: requestId }, requestId);
    }
  }

  const found = (name: string) => {
    const entry = state.streams.get(name);
    if (entry === undefined) throw new Error(`There is no stream ${name}`);
    return entry;
  };
  const create = (name: string) => void answer(state, toCreate({ name }));
  for (const name of streams) create(name);

  return {
    options: {
      url: "http://fake.invalid",
      apiKey: API_KEY,
      fetch,
      ...(virtual === undefined ? {} : { clock: virtual }),
    },
    fetch,
    requests,
    async advance(ms) {
      if (virtual === undefined) skippedMs += ms;
      else await virtual.advance(ms);
      wake();
    },
    lose: (what, times = 1) =>
      faults.push(...Array.from({ length: times }, () => ({ lose: what }))),
    refuse: (code, times = 1) => faults.push(...Array.from({ length: times }, () => ({ code }))),
    setAway: (next) => {
      isAway = next;
      wake();
    },
    revoke: () => {
      isRevoked = true;
      wake();
    },
    seek(stream, subscription, to) {
      const entry = found(stream);
      const sub = entry.subs.get(subscription);
      if (sub === undefined) throw new Error(`There is no subscription ${subscription}`);
      moveTo({ stream: entry.stream, sub }, to);
      sub.seeks += 1;
      wake();
    },
    recreate(stream) {
      const { name, settings } = found(stream).stream;
      state.streams.delete(name);
      void answer(state, toCreate({ name, ...settings }));
      wake();
    },
    expire(stream) {
      const entry = found(stream);
      entry.stream.expired = entry.stream.events.length;
    },
  };
}

type Received = {
  readonly path: string;
  readonly query: Record<string, string>;
  readonly init: Parameters<Fetch>[1];
  readonly fault: { lose: "answer" | "request" } | { code: FakeCode } | undefined;
};

const toCreate = (body: Record<string, unknown>) => ({
  method: "POST",
  path: "/streams",
  query: {},
  exact: body,
  body,
  header: () => undefined,
});

/** Parses the body twice: as usual, and with the spelling of its numbers. */
function parseBody(text = "{}") {
  const { rawJSON } = JSON as { rawJSON?: (source: string) => unknown };
  const keep = (_: string, value: unknown, context?: { source?: string }) =>
    typeof value === "number" && rawJSON !== undefined && context?.source !== undefined
      ? rawJSON(context.source)
      : value;
  const exact: unknown = JSON.parse(text, keep as (key: string, value: unknown) => unknown);
  return { body: JSON.parse(text) as Record<string, unknown>, exact };
}

function toResponse(status: number, body: unknown, requestId: string) {
  const text = body === undefined ? "" : JSON.stringify(body);
  const type = status < 400 ? "application/json" : "application/problem+json";
  const retryAfter = (body as { retryAfter?: number } | undefined)?.retryAfter;
  const headers = new Map([
    ["content-type", type],
    ["x-request-id", requestId],
    ["cache-control", "no-store"],
    ["www-authenticate", 'Bearer realm="eventledger"'],
    ...(retryAfter === undefined ? [] : [["retry-after", String(retryAfter)] as const]),
  ]);
  return {
    status,
    headers: { get: (name: string) => headers.get(name) ?? null },
    text: async () => text,
  };
}

const unreachable = (code = "ECONNRESET"): Error =>
  Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error(code), { code }) });

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

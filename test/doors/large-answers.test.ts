import { LIMITS } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { apiGatewayEvent, functionUrlEvent } from "../infra/http-event.ts";
import { inTurns } from "../support/depth.ts";
import { type Door, type DoorAnswer, lambdaDoor, openOnFake } from "./doors.ts";

/**
 * These tests send answers at their cap with the content that grows most. The text of a page
 * becomes a JSON string for Lambda, so its quotes, backslashes and control characters are escaped
 * again. Gzip becomes Base64.
 */
const KIB = 1_024;
const of = (unit: string, bytes: number) =>
  unit.repeat(Math.floor(bytes / Buffer.byteLength(unit)));

/**
 * Sample data of an event. Each is about as large as an event may be, except the many small events.
 */
const DATA: Readonly<Record<string, (n: number) => unknown>> = {
  "a string of quotes": () => of('"', 120 * KIB),
  "short members": () => Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`${n}`, n])),
  "control characters": () => of("\u0001", 40 * KIB),
  "what gzip cannot shrink": () => noise(250 * KIB),
  "many small events": (n) => n,
};

/** Returns text with as many different bytes as UTF-8 allows. */
const noise = (bytes: number): string => {
  const chars = [];
  for (let size = 0; size < bytes - 2; ) {
    const code = Math.random() < 0.6 ? 35 + Math.random() * 57 : 0x80 + Math.random() * 0x77f;
    const char = String.fromCharCode(code);
    size += Buffer.byteLength(char);
    chars.push(char);
  }
  return chars.join("");
};

/** The pages of events, each with the parameter that continues after it. */
const PAGES = [
  ["/streams/s/events", "from"],
  ["/streams/s/subscriptions/r/poll", "after"],
  ["/streams/s/subscriptions/all/poll", "after"],
] as const;

const FORMS = [
  ["native", "application/json", "identity"],
  ["native gzip", "application/json", "gzip"],
  ["CloudEvents", "application/cloudevents-batch+json", "identity"],
  ["CloudEvents gzip", "application/cloudevents-batch+json", "gzip"],
] as const;

describe.each(Object.keys(DATA).map((kind, row) => ({ kind, row })))("pages of $kind", (of) => {
  const { kind, row } = of;
  const door = lambdaDoor(apiGatewayEvent);
  const events = makeEvents(kind);
  const sequences = events.map((_, index) => index + 1);
  beforeAll(() => fill(door, events));
  afterAll(() => door.close());

  it.each(FORMS)("[poll.bounded] fit and leave nothing out: %s", async (form, accept, encoding) => {
    const headers = { accept, "accept-encoding": encoding };
    const column = FORMS.findIndex(([name]) => name === form);
    for (const [path, next] of inTurns(PAGES, row + column)) {
      expect(await readPages(door, { path, next, headers }), path).toEqual(sequences);
    }
  });

  it.each(["identity", "gzip"])(
    "[compaction.list] pages of %s fit and leave no key out",
    async (encoding) => {
      const headers = { "accept-encoding": encoding };
      const items = await readList(door, "/streams/s/compacted", "items", headers);
      expect(items.map(({ key }) => key).sort()).toEqual(events.map(({ key }) => key).sort());
    },
  );

  it("[http.limits] the log shows the answer that the client received", () => {
    expect(new Set(door.log.map(({ status }) => status))).toEqual(new Set([200, 201]));
  });
});

it("[list.page] lists of subscriptions, keys and parked keys fit and leave nothing out", async () => {
  const door = lambdaDoor(functionUrlEvent);
  const types = Array.from({ length: 32 }, (_, n) => `${n}${"\u0001".repeat(240)}`);
  await post(door, "/streams", { name: "s" });
  const names = Array.from({ length: 200 }, (_, n) => `sub-${String(n).padStart(3, "0")}`);
  for (const name of names) {
    await post(door, "/streams/s/subscriptions", { name, filter: { types } });
  }
  await post(door, "/streams/s/subscriptions", { name: "unfiltered" });
  const parked = Array.from({ length: 100 }, (_, n) => `${n}${"\u0001".repeat(500)}`);
  await post(door, "/streams/s/events", { events: parked.map((key) => ({ key, data: 1 })) });
  for (const index of parked.keys()) {
    const reason = "\u0001".repeat(256);
    await post(door, "/streams/s/subscriptions/unfiltered/park", { sequence: index + 1, reason });
  }
  for (const [path, member, name, all] of [
    ["/streams/s/subscriptions", "subscriptions", "name", [...names, "unfiltered"]],
    ["/streams/s/subscriptions/unfiltered/parked", "parked", "key", parked],
  ] as const) {
    expect(
      (await readList(door, path, member)).map((item) => item[name]),
      path,
    ).toEqual(all);
  }
  await door.close();
});

it("[error.problem] an answer that Lambda would refuse becomes a problem, and is logged as one", async () => {
  const opened = openOnFake();
  const large = { ...opened.ledger, getStream: async () => ({ name: "x".repeat(7_000_000) }) };
  const door = lambdaDoor(functionUrlEvent, { ...opened, ledger: large as never });
  vi.spyOn(console, "error").mockImplementation(() => {});
  const answer = await door.ask({ method: "GET", path: "/streams/s" });
  expect(answer.status).toBe(500);
  expect(JSON.parse(answer.text)).toMatchObject({ code: "internal" });
  expect(answer.headers["x-request-id"]).toBe(JSON.parse(answer.text).instance);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(door.log).toMatchObject([{ status: 500, problem: "internal", route: "/streams/:stream" }]);
  await door.close();
});

function makeEvents(kind: string): { key: string; data: unknown }[] {
  const make = DATA[kind];
  if (make === undefined) throw new Error(`no data of the kind ${kind}`);
  const count = kind === "many small events" ? 2_500 : 20;
  return Array.from({ length: count }, (_, n) => ({ key: `k${n}`, data: make(n) }));
}

async function fill(door: Door, events: readonly { key: string; data: unknown }[]): Promise<void> {
  await post(door, "/streams", { name: "s" });
  await post(door, "/streams/s/subscriptions", { name: "r" });
  const perRequest = events.length > 1_000 ? 1_000 : 8;
  for (let at = 0; at < events.length; at += perRequest) {
    const lines = events.slice(at, at + perRequest).map((event) => `${JSON.stringify(event)}\n`);
    const headers = { "content-type": "application/x-ndjson" };
    const body = lines.join("");
    const answer = await door.ask({ method: "POST", path: "/streams/s/events", headers, body });
    expect(answer.status, answer.text.slice(0, 300)).toBe(201);
  }
  while (!JSON.parse((await post(door, "/streams/s/compact")).text).done);
  await post(door, "/streams/s/subscriptions", { name: "all", start: "bootstrap" });
}

async function post(door: Door, path: string, body?: object): Promise<DoorAnswer> {
  const answer = await door.ask({ method: "POST", path, ...(body === undefined ? {} : { body }) });
  expect(answer.status, answer.text.slice(0, 300)).toBeLessThan(300);
  assertFits(answer);
  return answer;
}

type Pages = { path: string; next: "from" | "after"; headers: Record<string, string> };

/** Returns the sequences of all pages, in order. */
async function readPages(door: Door, { path, next, headers }: Pages): Promise<number[]> {
  const sequences: number[] = [];
  for (let cursor = "", done = false; !done; ) {
    const query = `limit=1000${cursor === "" ? "" : `&${next}=${cursor}`}`;
    const page = await door.ask({ method: "GET", path, query, headers });
    assertFits(page);
    const body = JSON.parse(page.text);
    const events = Array.isArray(body) ? body : body.events;
    sequences.push(
      ...events.map(({ sequence }: { sequence: string | number }) => Number(sequence)),
    );
    cursor = page.headers["eventledger-cursor"] ?? body.cursor;
    done = page.headers["eventledger-caught-up"] === "true" || body.caughtUp === true;
  }
  return sequences.sort((a, b) => a - b);
}

async function readList(door: Door, path: string, member: string, headers = {}) {
  const items: Record<string, unknown>[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = `limit=500${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const page = await door.ask({ method: "GET", path, query, headers });
    assertFits(page);
    const body = JSON.parse(page.text);
    items.push(...body[member]);
    cursor = body.cursor;
  }
  return items;
}

function assertFits({ status, sentBytes, text }: DoorAnswer): void {
  expect(status, text.slice(0, 300)).toBeLessThan(400);
  expect(sentBytes).toBeLessThanOrEqual(LIMITS.lambdaBytesMax);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LIMITS.pageBytesMax + 16 * KIB);
}

import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerEvent } from "@eventledger/protocol";
import { afterAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "./client.ts";
import { parseProblem, send, type Target } from "./wire.ts";

/** Tests polls and browsing as event streams, on a server that can stream. */
export function eventStreamsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("an event stream", () => pages(target, api));
  describe("an event stream that is cut", () => cuts(target, api));
  describe("what an event stream refuses", () => refusals(target, api));
}

type Frame = { readonly event?: string; readonly id?: string; readonly data?: string };

/** Reads the complete frames at the start of a text, as a browser does. */
function framesOf(text: string): Frame[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .map((frame) => {
      const fields = frame.split("\n").map((line) => /^(\w*): ?(.*)$/.exec(line) ?? []);
      const all = (name: string) =>
        fields.filter(([, field]) => field === name).map(([, , v]) => v);
      const data = all("data");
      return {
        ...(all("event")[0] === undefined ? {} : { event: all("event")[0] }),
        ...(all("id")[0] === undefined ? {} : { id: all("id")[0] }),
        ...(data.length === 0 ? {} : { data: data.join("\n") }),
      };
    });
}

type Page = { readonly events: LedgerEvent[]; readonly cursor: string; readonly caughtUp: boolean };

const pagesOf = (frames: readonly Frame[]): Page[] =>
  frames.filter(({ event }) => event === "page").map(({ data = "" }) => JSON.parse(data));

const eventsOf = (frames: readonly Frame[]): LedgerEvent[] =>
  pagesOf(frames).flatMap(({ events }) => events);

const lastIdOf = (frames: readonly Frame[]): string | undefined =>
  frames.findLast(({ id }) => id !== undefined)?.id;

/** Opens an event stream and returns its text so far, and what ends it. */
async function open(
  { baseUrl, apiKey }: Target,
  path: string,
  headers: Readonly<Record<string, string>> = {},
) {
  const over = new AbortController();
  const response = await fetch(`${baseUrl}${path}`, {
    headers: { authorization: `Bearer ${apiKey}`, accept: "text/event-stream", ...headers },
    signal: over.signal,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  let text = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true });
  })().catch(() => {});
  return {
    frames: () => framesOf(text),
    text: () => text,
    /** Waits until the frames satisfy a condition. */
    async until(holds: (frames: readonly Frame[]) => boolean): Promise<Frame[]> {
      while (!holds(framesOf(text))) await sleep(5);
      return framesOf(text);
    },
    async end(): Promise<void> {
      over.abort();
      await reading;
    },
    ended: reading,
  };
}

const count = (n: number) => (frames: readonly Frame[]) => eventsOf(frames).length >= n;

function pages(target: Target, api: Client): void {
  it.each([
    ["sse.page", "events", "from=earliest"],
    ["sse.page", "subscriptions/s/poll", ""],
  ])("[%s] GET …/%s sends what is there, and then what is published", async (_, route, query) => {
    const stream = await api.newStream({});
    await api.createSubscription(stream, { name: "s", start: "earliest" });
    await api.publish(
      stream,
      [1, 2, 3].map((n) => ({ key: `k${n}`, data: n })),
    );
    const following = await open(target, `/streams/${stream}/${route}?limit=2&${query}`);
    await following.until(count(3));
    await api.publish(stream, { key: "k4", data: 4 });
    const frames = await following.until(count(4));
    await following.end();
    expect(eventsOf(frames).map(({ data }) => data)).toEqual([1, 2, 3, 4]);
    for (const page of pagesOf(frames)) expect(frames).toContainEqual(idOf(page));
    expect(pagesOf(frames)[0]).toMatchObject({ events: { length: 2 }, caughtUp: false });
  });

  it("[sse.page] data comes as it was published, line breaks between tokens apart", async () => {
    const stream = await api.newStream({});
    const body = '{"key":"k","data":{"big":\n9007199254740993,\r\n"text":"a\\nb\\u2028"}}';
    await api.publish(stream, body);
    const following = await open(target, `/streams/${stream}/events?from=earliest`);
    const frames = await following.until(count(1));
    await following.end();
    expect(pagesOf(frames)[0]?.events[0]?.data).toEqual(JSON.parse(body).data);
    expect(frames[1]?.data).toContain("9007199254740993");
  });

  it("[sse.page] a stream of a subscription commits nothing", async () => {
    const stream = await api.newStream({});
    await api.createSubscription(stream, { name: "s", start: "earliest" });
    await api.publish(stream, { key: "k", data: 1 });
    const following = await open(target, `/streams/${stream}/subscriptions/s/poll`);
    await following.until(count(1));
    await following.end();
    expect((await api.poll(stream, "s", {})).body.events).toHaveLength(1);
  });

  it("[sse.ends] a problem ends the stream, with its body as data", async () => {
    const stream = await api.newStream({});
    await api.createSubscription(stream, { name: "s", start: "earliest" });
    await api.publish(stream, { key: "k", data: 1 });
    const following = await open(target, `/streams/${stream}/subscriptions/s/poll`);
    await following.until(count(1));
    await api.seek(stream, "s", "earliest");
    await following.ended;
    const { data = "", ...frame } = following.frames().at(-1) ?? {};
    expect(frame).toEqual({ event: "problem" });
    expect(JSON.parse(data)).toMatchObject({ code: "invalid-cursor", reason: "seeked" });
  });
}

const idOf = ({ cursor }: Page) => expect.objectContaining({ event: "page", id: cursor });

function cuts(target: Target, api: Client): void {
  it("[sse.resume] cut after any byte, it goes on without loss or repetition", async () => {
    const stream = await api.newStream({});
    const most = 9;
    for (let n = 1; n <= most; n++) await api.publish(stream, { key: `k${n}`, data: n });
    const path = `/streams/${stream}/events?from=earliest&limit=2`;
    const whole = await open(target, path);
    await whole.until(count(most));
    await whole.end();
    const text = whole.text();
    const continued = new Map<string, unknown[]>();
    for (let bytes = 0; bytes <= text.length; bytes++) {
      const before = framesOf(text.slice(0, bytes));
      const id = lastIdOf(before) ?? "";
      const after = continued.get(id) ?? (await goOn(target, path, id, most));
      continued.set(id, after);
      const all = [...eventsOf(before).map(({ data }) => data), ...after];
      expect(all).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    expect(continued.size).toBe(6);
  });
}

/** Returns the data of all events that follow a cursor, read as an event stream. */
async function goOn(target: Target, path: string, id: string, most: number): Promise<unknown[]> {
  const following = await open(target, path, { "last-event-id": id });
  const isWhole = (frames: readonly Frame[]) => pagesOf(frames).at(-1)?.caughtUp === true;
  const frames = await following.until(isWhole);
  await following.end();
  const data = eventsOf(frames).map((event) => event.data);
  expect(data.at(-1) ?? most).toBe(most);
  return data;
}

function refusals(target: Target, api: Client): void {
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    send(target, { path, headers: { accept: "text/event-stream", ...headers } });

  it.each(["until=latest", "order=desc", "last=3", "sequence=1", "waitSeconds=5"])(
    "[sse.refused] browsing with %s",
    async (query) => {
      const stream = await api.newStream({});
      const answer = await get(`/streams/${stream}/events?${query}`);
      expect(answer.status).toBe(400);
      const pointer = `/query/${query.split("=", 1)[0]}`;
      expect(parseProblem(answer).errors).toEqual([expect.objectContaining({ pointer })]);
    },
  );

  it("[sse.refused] a poll with waitSeconds, an unknown stream and a cursor of another", async () => {
    const stream = await api.newStream({});
    await api.createSubscription(stream, { name: "s" });
    const poll = `/streams/${stream}/subscriptions/s/poll`;
    expect(parseProblem(await get(`${poll}?waitSeconds=5`)).code).toBe("invalid-request");
    expect(parseProblem(await get("/streams/none/events")).code).toBe("stream-not-found");
    expect(parseProblem(await get(poll, { "last-event-id": "x" })).code).toBe("invalid-cursor");
  });

  it("[sse.page] HEAD is answered as for a page", async () => {
    const stream = await api.newStream({});
    const answer = await send(target, {
      method: "HEAD",
      path: `/streams/${stream}/events`,
      headers: { accept: "text/event-stream" },
    });
    expect(answer.header("content-type")).toBe("application/json");
  });
}

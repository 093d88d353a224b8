import type { RawJson } from "@eventledger/core";
import { describe, expect, it } from "vitest";
import { type FollowedPage, type Following, followPages } from "./follow.ts";

const page = (cursor: string, of: Partial<FollowedPage> & object = {}): FollowedPage => ({
  events: [],
  cursor,
  caughtUp: true,
  ...of,
});

const event = (sequence: number) => ({
  sequence,
  id: `e${sequence}`,
  key: "k",
  publishedAt: 0,
  data: "1" as RawJson,
});

/** Follows pages under a clock that only sleeps and reads move. Reading one takes `readMs`. */
function follow(pages: readonly FollowedPage[], { readMs = 0, ...of }: Settings = {}) {
  let nowMs = 0;
  const slept: number[] = [];
  const reads: string[] = [];
  const left = [...pages.slice(1)];
  const gone = new AbortController();
  const stream = followPages(
    {
      stream: "orders",
      first: pages[0] ?? page("c0"),
      readAfter: async (cursor) => {
        reads.push(cursor);
        nowMs += readMs;
        const next = left.shift();
        if (next === undefined) throw new Error("no more pages");
        return next;
      },
      recheck: async () => {},
      isEnding: () => false,
      lastsMs: 900_000,
      printProblem: async (error) => JSON.stringify(String(error)),
      gone: gone.signal,
      ...of,
    },
    {
      now: () => nowMs,
      monotonic: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
        if (ms > 0) slept.push(ms);
      },
    },
  );
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { stream, slept, reads, gone, pass };
}

type Settings = Partial<Following> & { readonly readMs?: number };

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  const text = await new Response(stream).text();
  return text.split("\n\n").filter((frame) => frame !== "");
}

describe("following pages as an event stream", () => {
  it("sends every page once, and reads on from its cursor", async () => {
    const { stream, reads } = follow([
      page("c1", { events: [event(1)], caughtUp: false }),
      page("c2", { events: [event(2)] }),
    ]);
    const frames = await textOf(stream);
    expect(frames.map((frame) => frame.split("\n").slice(0, 2))).toEqual([
      ["retry: 1000"],
      ["event: page", "id: c1"],
      ["event: page", "id: c2"],
      ["event: problem", 'data: "Error: no more pages"'],
    ]);
    expect(reads).toEqual(["c1", "c2"]);
  });

  it("sends a heartbeat for a page that says nothing", async () => {
    const { stream } = follow([page("c1"), page("c2"), page("c3", { caughtUp: false })]);
    const frames = await textOf(stream);
    expect(frames.slice(2, 4)).toEqual([
      ": no events\nid: c2",
      'event: page\nid: c3\ndata: {"events":[],"cursor":"c3","caughtUp":false}',
    ]);
  });

  it("pauses for nextPollMs only after a page without events", async () => {
    const { stream, slept } = follow([
      page("c1", { events: [event(1)], nextPollMs: 200 }),
      page("c2", { nextPollMs: 1_000 }),
      page("c3", { nextPollMs: 60_000 }),
    ]);
    await textOf(stream);
    expect(slept).toEqual([1_000, 15_000]);
  });

  it("ends after its time", async () => {
    const pages = [1, 2, 3, 4].map((n) => page(`c${n}`));
    const { stream, reads } = follow(pages, { readMs: 15_000, lastsMs: 30_000 });
    const frames = await textOf(stream);
    expect(frames.at(-1)).toBe(": no events\nid: c3");
    expect(reads).toEqual(["c1", "c2"]);
  });

  it("neither waits nor pauses beyond its time", async () => {
    const pages = [page("c1"), page("c2"), page("c3", { nextPollMs: 15_000 }), page("c4")];
    const pausing = follow(pages, { readMs: 15_000, lastsMs: 40_000 });
    await textOf(pausing.stream);
    expect([pausing.reads, pausing.slept]).toEqual([["c1", "c2"], [10_000]]);
    const asked: number[] = [];
    const waiting = follow([page("c1")], {
      lastsMs: 20_000,
      readAfter: async (_, waitSeconds) => {
        asked.push(waitSeconds);
        waiting.pass(waitSeconds * 1_000);
        return page("c1");
      },
    });
    await textOf(waiting.stream);
    expect(asked).toEqual([15, 5]);
  });

  it("ends when the process ends", async () => {
    let isEnding = false;
    const { stream } = follow([page("c1"), page("c2")], { isEnding: () => isEnding });
    const reader = stream.getReader();
    await reader.read();
    isEnding = true;
    expect(await reader.read()).toMatchObject({ done: true });
  });

  it("reads nothing before the client has taken the page before", async () => {
    const { stream, reads } = follow([page("c1"), page("c2"), page("c3")]);
    const reader = stream.getReader();
    await reader.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(reads).toEqual([]);
    await reader.read();
    expect(reads).toEqual(["c1"]);
    await reader.cancel();
  });

  it("delivers nothing that was read while the key was revoked", async () => {
    const pages = [page("c1"), page("c2", { events: [event(1)] })];
    let checks = 0;
    const recheck = async () => {
      checks++;
      throw new Error("unauthorized");
    };
    const { stream } = follow(pages, { readMs: 15_000, recheck });
    const frames = await textOf(stream);
    expect(frames.at(-1)).toBe('event: problem\ndata: "Error: unauthorized"');
    expect(frames).toHaveLength(3);
    expect(checks).toBe(1);
  });

  it("says nothing to a client that has gone", async () => {
    const { stream, gone } = follow([page("c1")]);
    const reader = stream.getReader();
    await reader.read();
    gone.abort();
    expect(await reader.read()).toMatchObject({ done: true });
  });
});

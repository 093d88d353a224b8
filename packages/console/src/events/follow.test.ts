import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LedgerProblem } from "../../../sdk/src/index.ts";
import type { EventPage } from "../api.ts";
import { type Following, follow } from "./follow.ts";
import { createFrames } from "./frames.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The frames of a stream of five pages with an event each, after a cursor. */
const framesAfter = (cursor: number): string =>
  [
    "retry: 1000\n\n",
    ...[1, 2, 3, 4, 5]
      .filter((n) => n > cursor)
      .map((n) => `event: page\nid: ${n}\ndata: {"events":[${n}],\ndata: "cursor":"${n}"}\n\n`),
    ": no events\nid: 5\n\n",
  ].join("");

const utf8 = new TextEncoder();

function body(text: string, pieceBytes: number): ReadableStream<Uint8Array> {
  const bytes = utf8.encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        controller.enqueue(bytes.slice(at, at + pieceBytes));
      }
      controller.close();
    },
  });
}

/** Follows until five events have arrived, or for a minute. */
async function run(of: Partial<Following>) {
  const closed = new AbortController();
  const seen: unknown[] = [];
  const states: unknown[] = [];
  const opened: string[] = [];
  const polled: string[] = [];
  const running = follow({
    from: "0",
    poll: async (from) => {
      polled.push(from);
      const n = Math.min(5, Number(from) + 1);
      const events = n > Number(from) ? [n] : [];
      return { events, cursor: String(n), caughtUp: n === 5 } as unknown as EventPage;
    },
    open: undefined,
    readPage: (json) => JSON.parse(json),
    isIdle: () => false,
    onPage(page) {
      seen.push(...page.events);
      if (seen.length >= 5) closed.abort();
      return true;
    },
    onState(error) {
      states.push(error);
      return true;
    },
    closed: closed.signal,
    ...of,
    ...(of.open && {
      open: (from, signal) => {
        opened.push(from);
        return of.open?.(from, signal) ?? Promise.reject();
      },
    }),
  });
  await vi.advanceTimersByTimeAsync(60_000);
  closed.abort();
  await running;
  return { seen, states, opened, polled };
}

const ALL = [1, 2, 3, 4, 5];

describe("following by an event stream", () => {
  it("wherever the first connection is cut, every event comes once", async () => {
    const whole = framesAfter(0);
    for (let cut = 0; cut <= whole.length; cut += 1) {
      let isFirst = true;
      const open = async (from: string) => {
        const text = isFirst ? whole.slice(0, cut) : framesAfter(Number(from));
        isFirst = false;
        return body(text, 7);
      };
      expect((await run({ open })).seen, `cut at ${cut}`).toEqual(ALL);
    }
  });

  it("pieces of any size make the same frames", () => {
    const text = framesAfter(2).replaceAll("\n\n", "\r\n\r\n");
    const whole = createFrames()(text);
    expect(whole.map(({ event, id }) => [event, id])).toEqual([
      [undefined, undefined],
      ["page", "3"],
      ["page", "4"],
      ["page", "5"],
      [undefined, "5"],
    ]);
    for (const size of [1, 2, 3, 5, 64]) {
      const framesOf = createFrames();
      const frames = [];
      for (let at = 0; at < text.length; at += size) {
        frames.push(...framesOf(text.slice(at, at + size)));
      }
      expect(frames).toEqual(whole);
    }
  });

  it("after three connections that end at once, it polls", async () => {
    const { seen, opened, polled } = await run({ open: async () => body("retry: 1000\n\n", 5) });
    expect(opened).toHaveLength(3);
    expect(polled[0]).toBe("0");
    expect(seen).toEqual(ALL);
  });

  it("where the server does not stream, it polls at once and shows no failure", async () => {
    const open = () => Promise.reject(new LedgerProblem({ code: "streaming-unavailable" }));
    const { seen, opened, states } = await run({ open });
    expect([opened.length, seen]).toEqual([1, ALL]);
    expect(states).toEqual([]);
  });

  it("a failure to connect is shown, and the next connection goes on", async () => {
    let failures = 0;
    const open = async (from: string) => {
      failures += 1;
      if (failures <= 4) throw new TypeError("Failed to fetch");
      return body(framesAfter(Number(from)), 9);
    };
    const { seen, states, polled } = await run({ open });
    expect(seen).toEqual(ALL);
    expect(states.map(Boolean)).toEqual([true, true, true, true, false]);
    expect(polled).toEqual([]);
  });

  it("a paused list holds no connection, and goes on where it was", async () => {
    let isPaused = false;
    const signals: AbortSignal[] = [];
    const open = async (from: string, signal: AbortSignal) => {
      signals.push(signal);
      if (signals.length > 1) return body(framesAfter(Number(from)), 9);
      return new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(utf8.encode(framesAfter(3).slice(0, -30)));
          setTimeout(() => {
            isPaused = true;
          }, 2_000);
          setTimeout(() => {
            expect(signal.aborted).toBe(true);
            isPaused = false;
          }, 5_000);
          signal.addEventListener("abort", () => controller.error(signal.reason));
        },
      });
    };
    const { seen, opened } = await run({ open, from: "3", isIdle: () => isPaused });
    expect(seen.slice(0, 2)).toEqual([4, 5]);
    expect(opened.slice(0, 2)).toEqual(["3", "4"]);
  });

  it.each(["a connection", "a poll"])(
    "what %s brings after the pause is shown once it goes on",
    async (by) => {
      let isPaused = false;
      const pauseNow = () => {
        isPaused = true;
        setTimeout(() => {
          expect(seen).toEqual([]);
          isPaused = false;
        }, 4_000);
      };
      const seen: unknown[] = [];
      const onPage = (page: EventPage) => {
        seen.push(...page.events);
        return seen.length < 5;
      };
      let isFirst = true;
      const open = async (from: string) => {
        // The person pauses the list while the first page is in flight.
        if (isFirst) pauseNow();
        isFirst = false;
        return body(framesAfter(Number(from)), 9);
      };
      const poll = async (from: string) => {
        if (isFirst) pauseNow();
        isFirst = false;
        return {
          events: ALL.slice(Number(from)),
          cursor: "5",
          caughtUp: true,
        } as unknown as EventPage;
      };
      await run({ onPage, isIdle: () => isPaused, ...(by === "a poll" ? { poll } : { open }) });
      expect(seen).toEqual(ALL);
    },
  );

  it("a silent connection is opened again", async () => {
    const open = async (from: string, signal: AbortSignal) =>
      from === "0"
        ? new ReadableStream<Uint8Array>({
            start(controller) {
              controller.enqueue(utf8.encode('event: page\nid: 1\ndata: {"events":[1]}\n\n'));
              signal.addEventListener("abort", () => controller.error(signal.reason));
            },
          })
        : body(framesAfter(Number(from)), 9);
    expect(await run({ open })).toMatchObject({ seen: ALL, opened: ["0", "1"] });
  });

  it("a problem ends the connection and is shown", async () => {
    const problem = { code: "retention-passed", detail: "gone" };
    const open = async () => body(`event: problem\ndata: ${JSON.stringify(problem)}\n\n`, 9);
    const { states } = await run({ open });
    expect(states.some((state) => LedgerProblem.is(state, "retention-passed"))).toBe(true);
  });
});

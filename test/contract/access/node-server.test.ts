import { once } from "node:events";
import type { RequestListener, Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createNodeServer } from "../../../packages/local/src/node-server.ts";

/**
 * These tests check that clients that idle, wait or do not read cannot harm other clients or fill
 * the server's memory.
 */

let server: Server;
const sockets: Socket[] = [];

async function listen(...given: Parameters<typeof createNodeServer>): Promise<void> {
  server = createNodeServer(...given);
  await once(server.listen(0, "127.0.0.1"), "listening");
}
afterEach(() => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
});

function dial(request = ""): Socket {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(request);
  sockets.push(socket);
  return socket;
}

const GET = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
const PATIENCE = { timeout: 30_000 };
const isOpen = (socket: Socket) => !socket.destroyed && socket.readyState === "open";

/** Answers when the test says so, without reading the body, as the API does for a GET. */
function answerLater() {
  const waiting: (() => void)[] = [];
  return {
    listener: ((_, response) => waiting.push(() => response.end("waited"))) as RequestListener,
    /** Waits until this many requests have come and are not answered. */
    hasReceived: (count: number) => vi.waitUntil(() => waiting.length === count, PATIENCE),
    answer(count = waiting.length): void {
      for (const end of waiting.splice(0, count)) end();
    },
  };
}

/** Counts the connections that the server accepts from now on. */
function watchConnections() {
  let count = 0;
  server.on("connection", () => count++);
  return { reach: (most: number) => vi.waitUntil(() => count === most, PATIENCE) };
}

describe("a connection beyond the cap", () => {
  const CAP = 8;

  it.each([
    ["without a body", `${GET}\r\n`],
    ["with a body that no route reads", `${GET}Content-Length: 4\r\n\r\nbody`],
    ["with a body in chunks", `${GET}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`],
  ])("[http.limits] takes no place of a request under way %s", async (_, request) => {
    const { listener, hasReceived, answer } = answerLater();
    await listen(listener, { connectionsMax: CAP });
    const waits = Array.from({ length: CAP - 2 }, () => text(dial(request)));
    await hasReceived(waits.length);
    const accepted = watchConnections();
    const idle = Array.from({ length: 3 * CAP }, () => dial());
    await accepted.reach(idle.length);
    answer();
    const answers = await Promise.all(waits);
    expect(answers.map((one) => /waited/.test(one))).toEqual(answers.map(() => true));
    await vi.waitUntil(() => idle.filter(isOpen).length <= CAP, PATIENCE);
  });

  it("[http.limits] a new connection does not replace a second request while the first is answered", async () => {
    const { listener, hasReceived, answer } = answerLater();
    await listen(listener, { connectionsMax: CAP });
    const waits = text(dial(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${GET}\r\n`));
    await hasReceived(2);
    const accepted = watchConnections();
    answer(1);
    for (let i = 0; i < 3 * CAP; i++) dial();
    await accepted.reach(3 * CAP);
    answer();
    expect((await waits).match(/waited/g)).toHaveLength(2);
  });

  it("[http.limits] a new connection replaces one that sends half a request", async () => {
    const { listener } = answerLater();
    await listen(listener, { connectionsMax: CAP });
    const accepted = watchConnections();
    const half = dial(`${GET}Content-Length: 4\r\n\r\nbo`);
    await once(server, "request");
    const idle = Array.from({ length: CAP }, () => dial());
    await once(half, "close");
    await accepted.reach(1 + CAP);
    await sleep(50);
    expect(idle.filter(isOpen)).toHaveLength(CAP);
  });
});

/** The server's clock, and its timers, move only when the test says so. */
describe("an answer that its client does not take", () => {
  const UNREAD_MS = 30_000;
  const LARGE = Buffer.alloc(60_000_000, "x");
  const answerLarge: RequestListener = (_, response) => response.end(LARGE);
  const listenTo = (listener: RequestListener) => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    return listen(listener, { unreadMs: UNREAD_MS });
  };
  /** Lets time pass on the server, after everything that moves has come to rest. */
  const pass = async (ms: number) => {
    await sleep(20);
    vi.advanceTimersByTime(ms);
  };

  it("[http.limits] an unread answer is given up after a while", async () => {
    await listenTo(answerLarge);
    const unread = dial(`${GET}\r\n`).pause();
    const [peer] = (await once(server, "connection")) as [Socket];
    await once(server, "request");
    await pass(UNREAD_MS - 5_000);
    expect(peer.destroyed).toBe(false);
    for (let seconds = 0; seconds < 10; seconds++) await pass(1_000);
    expect(peer.destroyed).toBe(true);
    expect(peer.bytesRead).toBeGreaterThan(0);
    unread.destroy();
  });

  it("[http.limits] a slow reader receives the whole answer", async () => {
    await listenTo(answerLarge);
    const slow = dial(`${GET}\r\n`);
    const closed = once(slow, "close");
    let [bytes, more] = [0, 0];
    slow.on("data", (chunk) => {
      bytes += chunk.length;
      more -= chunk.length;
      if (more < 0) slow.pause();
    });
    // In total, the client takes several times the limit for an unread answer, but each pause is
    // shorter than the limit.
    while (!slow.closed && bytes <= LARGE.length) {
      more = 6_000_000;
      slow.resume();
      await vi.waitUntil(() => more < 0 || slow.readableEnded || slow.destroyed, PATIENCE);
      await pass(UNREAD_MS - 5_000);
    }
    await closed;
    expect(bytes).toBeGreaterThan(LARGE.length);
  });

  it("[http.limits] a request that is not answered yet is not closed", async () => {
    const { listener, hasReceived, answer } = answerLater();
    await listenTo(listener);
    const answered = text(dial(`${GET}\r\n`));
    await hasReceived(1);
    await pass(5 * UNREAD_MS);
    answer();
    expect(await answered).toMatch(/waited/);
  });
});

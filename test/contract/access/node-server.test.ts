import { once } from "node:events";
import type { RequestListener, Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
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
const isOpen = (socket: Socket) => !socket.destroyed && socket.readyState === "open";

describe("a connection beyond the cap", () => {
  const CAP = 8;
  /** Answers after some time without reading the body, as the API does for a GET. */
  const answerLater: RequestListener = async (_, response) => {
    await sleep(700);
    response.end("waited");
  };

  it.each([
    ["without a body", `${GET}\r\n`],
    ["with a body that no route reads", `${GET}Content-Length: 4\r\n\r\nbody`],
    ["with a body in chunks", `${GET}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`],
  ])("[http.limits] takes no place of a request under way %s", async (_, request) => {
    await listen(answerLater, { connectionsMax: CAP });
    const waits = Array.from({ length: CAP - 2 }, () => text(dial(request)));
    await sleep(200);
    const idle = Array.from({ length: 3 * CAP }, () => dial());
    const answers = await Promise.all(waits);
    expect(answers.map((answer) => /waited/.test(answer))).toEqual(answers.map(() => true));
    expect(idle.filter(isOpen).length).toBeLessThanOrEqual(CAP);
  });

  it("[http.limits] a new connection does not replace a second request while the first is answered", async () => {
    let requests = 0;
    const pipelined: RequestListener = async (_, response) => {
      await sleep(requests++ === 0 ? 50 : 700);
      response.end("waited");
    };
    await listen(pipelined, { connectionsMax: CAP });
    const waits = text(dial(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${GET}\r\n`));
    await sleep(200);
    for (let i = 0; i < 3 * CAP; i++) dial();
    expect((await waits).match(/waited/g)).toHaveLength(2);
  });

  it("[http.limits] a new connection replaces one that sends half a request", async () => {
    await listen(answerLater, { connectionsMax: CAP });
    const half = dial(`${GET}Content-Length: 4\r\n\r\nbo`);
    await sleep(100);
    const idle = Array.from({ length: CAP }, () => dial());
    await once(half, "close");
    await sleep(100);
    expect(idle.filter(isOpen)).toHaveLength(CAP);
  });
});

describe("an answer that its client does not take", () => {
  const LARGE = Buffer.alloc(60_000_000, "x");
  const answerLarge: RequestListener = (_, response) => response.end(LARGE);

  it("[http.limits] an unread answer is given up after a while", async () => {
    await listen(answerLarge, { unreadMs: 500 });
    const unread = dial(`${GET}\r\n`).pause();
    const [peer] = (await once(server, "connection")) as [Socket];
    await once(peer, "close", { signal: AbortSignal.timeout(6_000) });
    expect(peer.bytesRead).toBeGreaterThan(0);
    unread.destroy();
  });

  it("[http.limits] a slow reader receives the whole answer", async () => {
    await listen(answerLarge, { unreadMs: 1_500 });
    const slow = dial(`${GET}\r\n`);
    let bytes = 0;
    slow.on("data", (chunk) => {
      bytes += chunk.length;
      slow.pause();
      // In total, the client takes several times the limit for an unread answer, but each pause is
      // shorter than the limit.
      setTimeout(() => slow.resume(), 6);
    });
    await once(slow, "close", { signal: AbortSignal.timeout(50_000) });
    expect(bytes).toBeGreaterThan(LARGE.length);
  });

  it("[http.limits] a request that is not answered yet is not closed", async () => {
    const answerLater: RequestListener = async (_, response) => {
      await sleep(3_000);
      response.end("waited");
    };
    await listen(answerLater, { unreadMs: 500 });
    expect(await text(dial(`${GET}\r\n`))).toMatch(/waited/);
  });
});

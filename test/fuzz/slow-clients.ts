import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "../contract/wire.ts";

/** How hard a server is pressed, and for how long. */
export type Press = {
  readonly seconds: number;
  /** Connections on which nothing is ever sent. */
  readonly idle: number;
  /** Connections on which a request arrives byte by byte, headers or body. */
  readonly slow: number;
  /** Polls a second whose client is gone before the answer. */
  readonly earlyCloses: number;
};

export type Pressed = {
  readonly quietP99Ms: number;
  readonly pressedP99Ms: number;
  readonly published: number;
  readonly failed: number;
  readonly opened: number;
  /** Of the hostile connections, those that the server closed. */
  readonly closedByServer: number;
};

const QUIET_MS_MIN = 1_000;

/**
 * Publishes at a steady pace, first alone and then while hostile clients hold on to the server, which
 * keep as many connections open as they are allowed to.
 */
export async function pressServer(target: Target, stream: string, press: Press): Promise<Pressed> {
  const quietMs = Math.max(QUIET_MS_MIN, (press.seconds * 1_000) / 4);
  const quiet = await publishFor(target, stream, quietMs);
  const hostile = createHostile(target, stream);
  const held = [
    hostile.hold(press.idle, () => {}),
    hostile.hold(Math.ceil(press.slow / 2), (socket) => trickle(socket, SLOW_HEADERS)),
    hostile.hold(Math.ceil(press.slow / 2), (socket) => trickle(socket, slowBody(target, stream))),
    hostile.leaveEarly(press.earlyCloses),
  ];
  const pressed = await publishFor(target, stream, press.seconds * 1_000);
  hostile.stop();
  await Promise.all(held);
  return {
    quietP99Ms: p99(quiet.tookMs),
    pressedP99Ms: p99(pressed.tookMs),
    published: pressed.tookMs.length,
    failed: quiet.failed + pressed.failed,
    ...hostile.counts(),
  };
}

const PACE_MS = 20;

/** One publish after the other, 50 a second at most, each with the time it took. */
async function publishFor({ baseUrl, apiKey }: Target, stream: string, forMs: number) {
  const tookMs: number[] = [];
  let failed = 0;
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const began = performance.now();
    const answer = await fetch(`${baseUrl}/streams/${stream}/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ key: "k", data: began }),
    }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status !== 201) failed++;
    tookMs.push(performance.now() - began);
    await sleep(Math.max(0, PACE_MS - (performance.now() - began)));
  }
  return { tookMs, failed };
}

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;

const SLOW_HEADERS = `GET /streams HTTP/1.1\r\nHost: x\r\nX-Slow: ${"a".repeat(2_000)}`;

const slowBody = ({ apiKey }: Target, stream: string): string =>
  `POST /streams/${stream}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\n` +
  `Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n${" ".repeat(2_000)}`;

/** All of the headers at once, then a byte each 200 ms. */
function trickle(socket: Socket, text: string): void {
  const headersEnd = text.indexOf("\r\n\r\n") + 4;
  const start = headersEnd > 3 ? headersEnd : 30;
  socket.write(text.slice(0, start));
  let at = start;
  const timer = setInterval(() => {
    if (at < text.length) socket.write(text[at++] ?? "");
  }, TRICKLE_MS);
  socket.once("close", () => clearInterval(timer));
}

const TRICKLE_MS = 200;
/** Per 25 ms: 400 a second, by each kind of client. */
const OPENED_AT_ONCE = 10;

function createHostile({ baseUrl, apiKey }: Target, stream: string) {
  const { hostname, port } = new URL(baseUrl);
  const open = new Set<Socket>();
  let stopped = false;
  let opened = 0;
  let closedByServer = 0;

  const dial = (act: (socket: Socket) => void): Socket => {
    const socket = connect(Number(port), hostname);
    opened++;
    open.add(socket);
    socket.on("error", () => {});
    socket.once("connect", () => act(socket));
    // Reads what comes, as a client that is merely slow does.
    socket.resume();
    socket.once("close", () => {
      open.delete(socket);
      if (!stopped) closedByServer++;
    });
    return socket;
  };

  /** Keeps so many connections; those that the server closes are opened again. */
  async function hold(count: number, act: (socket: Socket) => void): Promise<void> {
    const mine = new Set<Socket>();
    while (!stopped) {
      for (let i = 0; i < OPENED_AT_ONCE && mine.size < count; i++) {
        const socket = dial(act);
        mine.add(socket);
        socket.once("close", () => mine.delete(socket));
      }
      await sleep(OPEN_EVERY_MS);
    }
  }

  /** Asks for events and hangs up at once. */
  async function leaveEarly(perSecond: number): Promise<void> {
    const request =
      `GET /streams/${stream}/events?from=earliest HTTP/1.1\r\nHost: x\r\n` +
      `Authorization: Bearer ${apiKey}\r\n\r\n`;
    while (!stopped && perSecond > 0) {
      const socket = dial((connected) => {
        connected.write(request, () => setTimeout(() => connected.destroy(), 2));
      });
      socket.once("close", () => {
        if (!stopped) closedByServer--;
      });
      await sleep(1_000 / perSecond);
    }
  }

  return {
    hold,
    leaveEarly,
    stop: () => {
      stopped = true;
      for (const socket of open) socket.destroy();
    },
    counts: () => ({ opened, closedByServer }),
  };
}

const OPEN_EVERY_MS = 25;

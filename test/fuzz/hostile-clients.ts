import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { Target } from "../contract/wire.ts";
import type { HostileCounts, Pressing } from "./slow-clients.ts";

/**
 * Clients that occupy a server. They run in a separate thread, so that the waiting time of other
 * clients comes from the server and not from them. They run until the parent stops them, and then
 * report.
 */
const { target, idleStream, stream, press } = workerData as Pressing;
const { hostname, port } = new URL(target.baseUrl);

const open = new Set<Socket>();
const counts: HostileCounts = { opened: 0, closedByServer: 0, hungUp: 0, cutOff: 0 };
let stopped = false;

function dial(act: (socket: Socket) => void): Socket {
  const socket = connect(Number(port), hostname);
  counts.opened++;
  open.add(socket);
  socket.on("error", () => {});
  socket.once("connect", () => act(socket));
  // Reads all data, like a client that is only slow.
  socket.resume();
  socket.once("close", () => open.delete(socket));
  return socket;
}

/** The number of connections opened every 25 ms by each kind of client: 400 a second. */
const OPENED_AT_ONCE = 10;
const OPEN_EVERY_MS = 25;

/** Keeps this many connections open. Those that the server closes are replaced. */
async function hold(count: number, act: (socket: Socket) => void): Promise<void> {
  const mine = new Set<Socket>();
  while (!stopped) {
    for (let i = 0; i < OPENED_AT_ONCE && mine.size < count; i++) {
      const socket = dial(act);
      mine.add(socket);
      socket.once("close", () => {
        mine.delete(socket);
        if (!stopped) counts.closedByServer++;
      });
    }
    await sleep(OPEN_EVERY_MS);
  }
}

const TRICKLE_MS = 200;

const SLOW_HEADERS = `GET /streams HTTP/1.1\r\nHost: x\r\nX-Slow: ${"a".repeat(2_000)}`;

const slowBody = ({ apiKey }: Target): string =>
  `POST /streams/${stream}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\n` +
  `Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n${" ".repeat(2_000)}`;

/** Sends all of the headers at once, and then one byte every 200 ms. */
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

/** How long clients wait before they hang up. Each takes the next value. */
const PATIENCE_MS = [20, 100, 300, 700, 1_500];

/** Starts polls that would wait for 20 s, and hangs up long before. */
async function leaveEarly(perSecond: number): Promise<void> {
  const poll =
    `GET /streams/${idleStream}/subscriptions/waiting/poll?waitSeconds=20 HTTP/1.1\r\n` +
    `Host: x\r\nAuthorization: Bearer ${target.apiKey}\r\n\r\n`;
  for (let turn = 0; !stopped && perSecond > 0; turn++) {
    const socket = dial((connected) => connected.write(poll));
    const cutOff = () => {
      if (!stopped) counts.cutOff++;
    };
    socket.once("data", cutOff).once("close", cutOff);
    setTimeout(
      () => {
        counts.hungUp++;
        socket.off("data", cutOff).off("close", cutOff).destroy();
      },
      PATIENCE_MS[turn % PATIENCE_MS.length],
    );
    await sleep(1_000 / perSecond);
  }
}

const running = [
  hold(press.idle, () => {}),
  hold(Math.ceil(press.slow / 2), (socket) => trickle(socket, SLOW_HEADERS)),
  hold(Math.ceil(press.slow / 2), (socket) => trickle(socket, slowBody(target))),
  leaveEarly(press.earlyCloses),
];

parentPort?.once("message", async () => {
  stopped = true;
  for (const socket of open) socket.destroy();
  await Promise.all(running);
  parentPort?.postMessage(counts);
});

/**
 * Sends events over HTTP from a number of connections. Each sends its next request when the last
 * one is answered. Prints how many were stored, and the duration. It writes HTTP itself, because on
 * a small machine an HTTP client would take the CPU that the server needs.
 *
 * node load.ts <a load as JSON>
 */
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { type Latency, latencyOf } from "./latency.ts";
import { waitForStart } from "./run-child.ts";
import { bodiesOf, type Load } from "./target.ts";

/** Rates and latencies count from the end of the warm-up. */
export type Loaded = {
  readonly requests: number;
  readonly refused: number;
  /** One of the refused answers. */
  readonly refusal?: string | undefined;
  readonly eventsPerSecond: number;
  readonly latencyMs: Latency;
};

const { target, producers, n, until, warmUpMs }: Load = JSON.parse(process.argv[2] ?? "");
const { hostname, port } = new URL(target.url);
const bodies = bodiesOf(target.shape, n).map((body) => {
  const lines = [`Content-Length: ${Buffer.byteLength(body)}`, "", body];
  return lines.join("\r\n");
});
const named = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}`);
const head = [`POST ${target.path} HTTP/1.1`, `Host: ${hostname}:${port}`, ...named, ""].join(
  "\r\n",
);
const good = `HTTP/1.1 ${target.status}`;

await waitForStart();
const from = performance.now() + warmUpMs;
const end = "seconds" in until ? from + until.seconds * 1_000 : Number.POSITIVE_INFINITY;
let left = "requests" in until ? until.requests : Number.POSITIVE_INFINITY;
let turn = 0;
let [refused, refusal] = [0, undefined as string | undefined];
const latencies: number[] = [];
await Promise.all(Array.from({ length: producers }, produce));
const seconds = (Math.min(performance.now(), end) - from) / 1_000;
const loaded: Loaded = {
  requests: latencies.length,
  refused,
  refusal,
  eventsPerSecond: Math.round((latencies.length * n) / seconds),
  latencyMs: latencies.length === 0 ? { p50: 0, p99: 0, max: 0 } : latencyOf(latencies),
};
console.log(JSON.stringify(loaded));

function produce(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname).setNoDelay(true);
    let sentAt = 0;
    let received = "";
    const send = () => {
      sentAt = performance.now();
      if (sentAt >= end || left <= 0) {
        socket.end();
        resolve();
        return;
      }
      left--;
      const key = target.idempotent === true ? `Idempotency-Key: ${randomUUID()}\r\n` : "";
      socket.write(head + key + bodies[turn++ % bodies.length]);
    };
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`${target.url} closed a connection`)));
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (!isWhole(received)) return;
      const now = performance.now();
      if (!received.startsWith(good)) {
        refused++;
        refusal ??= received.slice(0, 400);
      } else if (now >= from && now <= end) latencies.push(now - sentAt);
      received = "";
      send();
    });
  });
}

function isWhole(response: string): boolean {
  const headEnd = response.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const top = response.slice(0, headEnd);
  const length = /\r\ncontent-length: (\d+)/i.exec(top)?.[1];
  if (length !== undefined) return response.length >= headEnd + 4 + Number(length);
  return top.startsWith("HTTP/1.1 204") || response.endsWith("0\r\n\r\n");
}

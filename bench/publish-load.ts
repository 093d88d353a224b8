/**
 * Publishes single events over HTTP from the given number of connections. Each sends its next
 * request when the previous one is answered. Prints how many were answered with 201, and the
 * latencies. It writes HTTP itself, because on a small machine an HTTP client would take the CPU
 * that the server needs.
 *
 * node publish-load.ts <url> <api key> <stream> <publishers> <seconds>
 */
import { connect } from "node:net";
import { orderEvents } from "../test/support/order-events.ts";
import { type Latency, latencyOf } from "./latency.ts";
import { waitForStart } from "./run-child.ts";

export type Load = {
  readonly published: number;
  readonly refused: number;
  readonly perSecond: number;
  readonly latencyMs: Latency;
};

const [url = "", apiKey = "", stream = "", publishers = "", seconds = ""] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const requests = orderEvents(1_000).map((event) => {
  const body = JSON.stringify(event);
  const head = [
    `POST /streams/${stream}/events HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    `Authorization: Bearer ${apiKey}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
});

const WARM_UP_MS = 2_000;
await waitForStart();
const measureFrom = performance.now() + WARM_UP_MS;
const stopAt = measureFrom + Number(seconds) * 1_000;
const latencies: number[] = [];
let refused = 0;

await Promise.all(Array.from({ length: Number(publishers) }, (_, n) => publishInTurn(n)));
const load: Load = {
  published: latencies.length,
  refused,
  perSecond: Math.round(latencies.length / Number(seconds)),
  latencyMs: latencyOf(latencies),
};
console.log(JSON.stringify(load));

function publishInTurn(offset: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let sentAt = 0;
    let received = "";
    let turn = offset;
    const send = () => {
      sentAt = performance.now();
      if (sentAt >= stopAt) {
        socket.end();
        resolve();
        return;
      }
      socket.write(requests[turn++ % requests.length] ?? "");
    };
    socket.setNoDelay(true);
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (!isWhole(received)) return;
      if (sentAt >= measureFrom) {
        if (received.startsWith("HTTP/1.1 201")) latencies.push(performance.now() - sentAt);
        else refused++;
      }
      received = "";
      send();
    });
  });
}

function isWhole(response: string): boolean {
  const headEnd = response.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(response.slice(0, headEnd))?.[1];
  if (length === undefined) return response.endsWith("0\r\n\r\n");
  return response.length >= headEnd + 4 + Number(length);
}

/**
 * Sends requests over one connection, one after another, and prints how many were answered with the
 * expected status. The parent measures their cost for the server.
 *
 * node router-load.ts <url> <api key> <stream> <publish-1 | publish-100 | page-100> <requests>
 */
import { connect } from "node:net";
import { orderEvents } from "../test/support/order-events.ts";
import { waitForStart } from "./run-child.ts";

const [url = "", apiKey = "", stream = "", kind = "", count = ""] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const common = [`Host: ${hostname}:${port}`, `Authorization: Bearer ${apiKey}`];
const events = orderEvents(1_000);

const post = (body: string): string =>
  [
    `POST /streams/${stream}/events HTTP/1.1`,
    ...common,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
const get = (path: string): string => [`GET ${path} HTTP/1.1`, ...common, "", ""].join("\r\n");

const KINDS: Readonly<Record<string, { readonly requests: string[]; readonly status: string }>> = {
  "publish-1": { requests: events.map((event) => post(JSON.stringify(event))), status: "201" },
  "publish-100": {
    requests: Array.from({ length: 10 }, (_, n) =>
      post(JSON.stringify({ events: events.slice(n * 100, n * 100 + 100) })),
    ),
    status: "201",
  },
  "page-100": {
    requests: [get(`/streams/${stream}/events?from=earliest&limit=100`)],
    status: "200",
  },
};
const { requests, status } = KINDS[kind] ?? { requests: [], status: "" };

const socket = connect(Number(port), hostname).setNoDelay(true);
await waitForStart();
let good = 0;
for (let n = 0; n < Number(count); n++) {
  const answer = await ask(requests[n % requests.length] ?? "");
  if (answer.startsWith(`HTTP/1.1 ${status}`)) good++;
  else throw new Error(answer.slice(0, 600));
}
socket.end();
console.log(JSON.stringify({ good }));

function ask(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let whole = Number.POSITIVE_INFINITY;
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (whole === Number.POSITIVE_INFINITY) {
        const head = Buffer.concat(chunks).toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        const length = /\r\ncontent-length: (\d+)/i.exec(head.slice(0, end))?.[1];
        if (end >= 0 && length !== undefined) whole = end + 4 + Number(length);
      }
      if (bytes < whole) return;
      socket.off("data", take).off("error", reject);
      resolve(Buffer.concat(chunks).toString("latin1"));
    };
    socket.on("data", take).on("error", reject);
    socket.write(request);
  });
}

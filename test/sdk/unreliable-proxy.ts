import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { SeededRandom } from "../simulation/dynamodb/seeded-random.ts";

/**
 * The faults of a request on its way to EventLedger. "before" and "after" refer to its effect.
 * `cut`: a part of the answer arrives.
 */
const FAULTS = ["delay", "reset-before", "reset-after", "cut", "gateway", "twice"] as const;
type Fault = (typeof FAULTS)[number];

export type UnreliableProxy = {
  readonly url: string;
  readonly counts: Readonly<Record<Fault | "requests", number>>;
  /** Every request, in order. */
  readonly requests: readonly { readonly method: string; readonly url: string }[];
  /** The chance of a fault for a request. */
  setIntensity(intensity: number): void;
  /** While the server is away, connections are reset before anything is read. */
  setAway(isAway: boolean): void;
  stop(): Promise<void>;
};

/** A proxy between the SDK and the server that disturbs requests at random. */
export async function startUnreliableProxy(
  target: string,
  random: SeededRandom,
): Promise<UnreliableProxy> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const counts = Object.fromEntries(["requests", ...FAULTS].map((name) => [name, 0])) as Record<
    Fault | "requests",
    number
  >;
  const requests: { method: string; url: string }[] = [];
  let intensity = 0;
  let isAway = false;

  const forward = (from: IncomingMessage, body: Buffer): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const { method, url, headers } = from;
      const to = request({ hostname, port, method, path: url, headers, agent }, (reply) => {
        reply.toArray().then(
          (chunks) =>
            resolve({
              status: reply.statusCode ?? 500,
              headers: reply.headers,
              body: Buffer.concat(chunks),
            }),
          reject,
        );
      });
      to.on("error", reject);
      to.end(body);
    });

  const handle = async (from: IncomingMessage, to: ServerResponse): Promise<void> => {
    const { method = "", url = "" } = from;
    requests.push({ method, url });
    counts.requests += 1;
    if (isAway) return void from.socket.destroy();
    const body = Buffer.concat(await from.toArray());
    const fault = random.chance(intensity) ? random.pick(FAULTS) : undefined;
    if (fault !== undefined) counts[fault] += 1;
    if (fault === "reset-before") return void from.socket.destroy();
    if (fault === "delay") {
      await new Promise((resolve) => setTimeout(resolve, random.fraction() ** 3 * 1_000));
    }
    if (fault === "twice" && method === "POST") await forward(from, body);
    const reply = await forward(from, body);
    if (fault === "reset-after" || isAway) return void from.socket.destroy();
    if (fault === "gateway") return void to.writeHead(502).end("<html>Bad gateway</html>");
    if (fault === "cut") {
      to.writeHead(reply.status, { ...reply.headers, "content-length": reply.body.length });
      to.write(reply.body.subarray(0, reply.body.length / 2), () => from.socket.destroy());
      return;
    }
    to.writeHead(reply.status, reply.headers).end(reply.body);
  };

  const server = createServer((from, to) => {
    handle(from, to).catch(() => from.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    requests,
    setIntensity: (to) => {
      intensity = to;
    },
    setAway: (next) => {
      isAway = next;
      if (next) server.closeAllConnections();
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      agent.destroy();
    },
  };
}

type Reply = {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
};

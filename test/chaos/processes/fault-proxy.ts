import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { SeededRandom } from "../../simulation/dynamodb/seeded-random.ts";

/** The faults of a request on its way to the database. "before" and "after" refer to its effect. */
export const PROXY_FAULTS = [
  "delay",
  "drop-before",
  "drop-after",
  "error-before",
  "error-after",
  "throttle",
  "conflict",
  "twice",
  "stall-before",
  "stall-after",
] as const;
export type ProxyFault = (typeof PROXY_FAULTS)[number];

/** The number of faults of each kind. `requests` counts all requests. */
export type ProxyCounts = Record<ProxyFault | "requests", number>;

export type FaultProxy = {
  readonly endpoint: string;
  /** How often each fault was injected. */
  readonly counts: ProxyCounts;
  /**
   * Sets the chance of a fault for one request, for all kinds together. With 0, faults in progress
   * end as well.
   */
  setIntensity(intensity: number): void;
  stop(): Promise<void>;
};

const WRITES = /PutItem|UpdateItem|DeleteItem|TransactWriteItems|BatchWriteItem/;
const CONFLICTING = /PutItem|UpdateItem|DeleteItem|TransactWriteItems/;
const TYPE = "com.amazonaws.dynamodb.v20120810#";
/** A stall takes longer than the product waits for one answer. */
const STALL_MS = 4_000;

/**
 * A proxy between the processes and the database that disturbs requests at random. `target` is
 * evaluated for every request, because a database that was killed returns on another port.
 */
export async function startFaultProxy(
  target: () => string,
  random: SeededRandom,
): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const counts = Object.fromEntries(
    ["requests", ...PROXY_FAULTS].map((name) => [name, 0]),
  ) as ProxyCounts;
  let intensity = 0;
  const stalled = new Set<Socket>();
  const stall = async ({ socket }: IncomingMessage): Promise<void> => {
    stalled.add(socket);
    await pause(STALL_MS);
    stalled.delete(socket);
    socket.destroy();
  };

  const draw = (operation: string): ProxyFault | undefined => {
    if (!random.chance(intensity)) return undefined;
    const fault = random.pick(PROXY_FAULTS) as ProxyFault;
    if (fault === "conflict" && !CONFLICTING.test(operation)) return "delay";
    return fault;
  };

  const forward = (from: IncomingMessage, body: Buffer): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const { method, url, headers } = from;
      const { hostname, port } = new URL(target());
      const to = request({ hostname, port, method, path: url, headers, agent }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on("data", (chunk) => chunks.push(chunk));
        reply.on("end", () =>
          resolve({
            status: reply.statusCode ?? 500,
            headers: reply.headers,
            body: Buffer.concat(chunks),
          }),
        );
        reply.on("error", reject);
      });
      to.on("error", reject);
      to.end(body);
    });

  const handle = async (from: IncomingMessage, to: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await from.toArray());
    const operation = String(from.headers["x-amz-target"] ?? "");
    const fault = draw(operation);
    counts.requests += 1;
    if (fault !== undefined) counts[fault] += 1;
    if (fault === "drop-before") return void from.socket.destroy();
    if (fault === "stall-before") return void (await stall(from));
    if (fault === "error-before") return answer(to, 500, "InternalServerError");
    if (fault === "throttle") return answer(to, 400, "ProvisionedThroughputExceededException");
    if (fault === "conflict") return conflict(to, operation, body);
    if (fault === "delay") await pause(random.fraction() ** 3 * 3_000);
    const first = await forward(from, body);
    const reply = fault === "twice" && WRITES.test(operation) ? await forward(from, body) : first;
    if (fault === "drop-after") return void from.socket.destroy();
    if (fault === "stall-after") return void (await stall(from));
    if (fault === "error-after") return answer(to, 500, "InternalServerError");
    to.writeHead(reply.status, reply.headers).end(reply.body);
  };

  const server = createServer((from, to) => {
    // The database does not answer while it is restarting.
    handle(from, to).catch(() => from.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    setIntensity: (to) => {
      intensity = to;
      if (to === 0) for (const socket of stalled) socket.destroy();
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

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function answer(to: ServerResponse, status: number, type: string, more: object = {}): void {
  const headers = { "content-type": "application/x-amz-json-1.0" };
  to.writeHead(status, headers).end(JSON.stringify({ __type: `${TYPE}${type}`, ...more }));
}

function conflict(to: ServerResponse, operation: string, body: Buffer): void {
  if (!operation.endsWith("TransactWriteItems")) {
    answer(to, 400, "TransactionConflictException");
    return;
  }
  const { TransactItems = [] } = JSON.parse(body.toString());
  const reasons = TransactItems.map((_: unknown, index: number) => ({
    Code: index === 0 ? "TransactionConflict" : "None",
  }));
  answer(to, 400, "TransactionCanceledException", {
    message: "Transaction cancelled",
    CancellationReasons: reasons,
  });
}

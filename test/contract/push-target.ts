import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import type { Reach } from "../../packages/functions/src/push/address.ts";
import { openPush } from "../../packages/functions/src/push/open-push.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import * as described from "../../packages/protocol/src/described/index.ts";
import { createHurriedClock } from "../support/moved-clock.ts";
import { createTestTable } from "../support/test-table.ts";
import { createClient } from "./client.ts";
import { asJson } from "./wire.ts";

const ADMIN_KEY = "the-admin-key-of-the-pushes";

/** A delivery as its receiver sees it. */
export type Received = {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: { readonly key: string; readonly sequence: number; readonly data: unknown };
};
export type Reply =
  | number
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | "nothing";

/**
 * Opens a server and a receiver. Pushes run only when `run` is called, which runs each of them
 * once. The server's clock is ahead of the machine's by `aheadMs`.
 */
export async function openPushTarget(aheadMs: () => number, reach: Reach = "everything") {
  let isHurried = false;
  const { endpoint, tableName } = await createTestTable();
  const config = {
    endpoint,
    tableName,
    region: "us-east-1",
    clock: createHurriedClock(
      () => isHurried,
      () => Date.now() + aheadMs(),
    ),
    adminKey: ADMIN_KEY,
    cursorKey: "the-cursor-key-of-the-pushes",
  };
  const open = () => {
    const push = openPush({ key: "the-key-of-the-secrets-of-pushes", reach });
    return openLedger({ ...config, push });
  };
  const opened = open();
  const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
  const received: Received[] = [];
  const waiting: (() => void)[] = [];
  let reply: (delivery: Received) => Reply = () => 204;
  const receiver = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const text = Buffer.concat(pieces).toString();
      const delivery = {
        path: request.url,
        headers: request.headers,
        text,
        body: JSON.parse(text),
      };
      received.push(delivery);
      const answer = reply(delivery);
      if (answer === "nothing") {
        waiting.push(() => response.writeHead(204).end());
        return;
      }
      const {
        status,
        headers = {},
        body = "",
      } = typeof answer === "number" ? { status: answer } : answer;
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const api = createClient({ baseUrl: server.url, apiKey: ADMIN_KEY });
  const sendTo = (stream: string, path: string, method: string, body?: object) =>
    api.send({
      method,
      path: `/streams/${stream}/subscriptions/hook/push${path}`,
      ...asJson(body),
    });

  return {
    api,
    /** Sends a request about the push of the subscription `hook`. */
    sendTo,
    /** Creates a stream whose subscription `hook` is pushed to the receiver. */
    async pushed(settings: object = {}, partitions = 1) {
      const stream = await api.newStream({ partitions, compaction: "none" });
      await api.createSubscription(stream, { name: "hook", start: "earliest" });
      const made = await sendTo(stream, "", "PUT", { url, ...settings });
      expect(made.status).toBe(201);
      return { stream, secret: described.NewPush.parse(made.body).secret };
    },
    stateOf: async (stream: string) => described.Push.parse((await sendTo(stream, "", "GET")).body),
    deliveriesOf: async (stream: string, query = "") =>
      described.PushDeliveryList.parse((await sendTo(stream, `/deliveries${query}`, "GET")).body),
    end: (stream: string) => sendTo(stream, "", "DELETE"),
    opened,
    endpoint,
    tableName,
    url,
    received,
    /** Opens the ledger of another process over the same table. */
    other: open,
    /** Answers all unanswered deliveries with 204. */
    release(): void {
      for (const end of waiting.splice(0)) end();
    },
    /** While the work runs, the pauses between the tries of a request take no time. */
    async hurry<T>(work: () => Promise<T>): Promise<T> {
      isHurried = true;
      return work().finally(() => {
        isHurried = false;
      });
    },
    /** Sets how the receiver answers from now on. */
    answer(how: (delivery: Received) => Reply): void {
      reply = how;
    },
    /** Runs all pushes once. Returns the results of the runs. */
    async run(budgetMs = 20_000) {
      const all = await opened.ledger.listPushes();
      return Promise.all(all.map((id) => opened.ledger.runPush(id, { budgetMs })));
    },
    async close(): Promise<void> {
      await server.stop();
      opened.close();
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}

import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type OpenLedger, openLedger } from "../../packages/functions/src/open-ledger.ts";
import { type LocalServer, startServer } from "../../packages/local/src/http-server.ts";
import { LOCAL_REGION } from "../../packages/local/src/local-aws.ts";
import { createTestTable } from "../support/test-table.ts";

const adminKey = "elk_busy_queue_admin";
let opened: OpenLedger;
let server: LocalServer;
/** The puts of batches wait for this promise. */
let mayPut: Promise<unknown> = Promise.resolve();
let held = 0;

beforeAll(async () => {
  const { endpoint, tableName } = await createTestTable();
  const keys = { adminKey, cursorKey: adminKey };
  opened = openLedger({ endpoint, region: LOCAL_REGION, tableName, ...keys, waitingMax: 1 });
  opened.client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName === "PutItemCommand" || context.commandName === "PutCommand") {
        held++;
        await mayPut;
      }
      return next(args);
    },
    { step: "initialize" },
  );
  server = await startServer(opened, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server.stop();
  opened.close();
});

const post = (path: string, body: object) =>
  fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const publish = (key: string) => post("/streams/orders/events", { key, data: 1 });

it("[publish.busy-queue] a publish is answered 429 with Retry-After while the queue is full, and then succeeds", async () => {
  await post("/streams", { name: "orders" });
  expect((await publish("first")).status).toBe(201);
  const gate = Promise.withResolvers<void>();
  mayPut = gate.promise;
  held = 0;
  const sent = publish("sent");
  await vi.waitFor(() => expect(held).toBe(1), 10_000);
  const both = [publish("a"), publish("b")];
  const refused = await Promise.race(both);
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({
    code: "too-many-requests",
    retry: "later",
    retryAfter: 1,
  });
  gate.resolve();
  const statuses = (await Promise.all([sent, ...both])).map(({ status }) => status);
  expect(statuses.sort()).toEqual([201, 201, 429]);
  expect((await publish("after")).status).toBe(201);
});

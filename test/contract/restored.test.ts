import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect, inject, it } from "vitest";
import { localAws } from "../../packages/local/src/local-aws.ts";
import { startStack } from "../../packages/local/src/stack.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { copyRows, putBack, putRows } from "../support/copy-rows.ts";
import { type Client, createClient } from "./client.ts";
import { refusal, send } from "./wire.ts";

/** These tests follow the runbook of docs/operations.md over HTTP, as an operator does. */

const run = promisify(execFile);
const endpoint = inject("dynamoEndpoint");
const client = new DynamoDBClient(localAws(endpoint));
const adminKey = "the-admin-key-of-these-servers";
const cursorKey = "the-cursor-key-of-these-servers";

/** Runs a function while a server uses this table. */
async function on<T>(
  tableName: string,
  meet: (api: Client, url: string) => Promise<T>,
): Promise<T> {
  const stack = await startStack({ endpoint, tableName, adminKey, cursorKey });
  return meet(createClient({ baseUrl: stack.url, apiKey: adminKey }), stack.url).finally(() =>
    stack.stop(),
  );
}

/** Pastes the step of the runbook that calls the API into a shell. */
async function followRunbook(url: string, body = "{}"): Promise<unknown> {
  const section =
    readFileSync("docs/operations.md", "utf8").split("## Restoring the table")[1] ?? "";
  const [, script = ""] = /```sh\n([\s\S]*?)```/.exec(section) ?? [];
  expect(script).toContain("/restored");
  const { stdout } = await run("bash", ["-euc", script.replace("'{}'", `'${body}'`)], {
    env: { ...process.env, URL: url, ADMIN_KEY: adminKey },
  });
  return JSON.parse(stdout);
}

const events = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ key: "k", data: from + index }));
const dataOf = (page: { body: { events: readonly { data?: unknown }[] } }) =>
  page.body.events.map(({ data }) => data);

it.each(["a table of its own", "the table's own name"])(
  "[restore.lost] [restore.numbers] no event is lost silently when the copy has %s",
  async (where) => {
    const isNew = where === "a table of its own";
    const table = `restored-${randomUUID()}`;
    const copyName = isNew ? `${table}-1` : table;
    const stream = "orders";
    const { copy, cursor, given } = await on(table, async (api) => {
      await api.createStream({ name: stream });
      await api.createSubscription(stream, { name: "s" });
      await api.publish(stream, events(1, 5));
      const copy = await copyRows(client, table);
      const lost = await api.publish(stream, events(6, 10), { idempotencyKey: "six" });
      const page = await api.poll(stream, "s");
      expect(dataOf(page)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      await api.commit(stream, "s", page.body.cursor);
      return { copy, cursor: page.body.cursor, given: lost.body.events };
    });
    if (isNew) {
      await ensureTable(client, copyName);
      await putRows(client, copyName, copy);
    } else {
      await putBack(client, table, copy);
    }
    await on(copyName, async (api, url) => {
      if (isNew) {
        const problem = await refusal(api.publish(stream, events(11, 18)), "restore-pending");
        expect(problem.retry).toBe("later");
        await refusal(api.poll(stream, "s", { after: cursor }), "restore-pending");
        // Without its audit stream, administration waits for the operator as well.
        const administering = await api.send({
          method: "POST",
          path: "/keys",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ name: "k", scopes: ["read"], streams: ["*"] }),
        });
        expect(administering.body).toMatchObject({
          code: "restore-pending",
          detail: expect.stringContaining("POST /restored"),
        });
        // The stream and the audit stream of its tenant.
        expect(await followRunbook(url)).toEqual({ streams: 2, done: true });
        expect(await followRunbook(url)).toEqual({ streams: 0, done: true });
      } else {
        const named = JSON.stringify({ name: "monday" });
        expect(await followRunbook(url, named)).toEqual({ streams: 2, done: true });
        expect(await followRunbook(url, named)).toEqual({ streams: 0, done: true });
      }
      const { body } = await api.publish(stream, events(11, 18));
      const numbers = body.events.map(({ sequence }) => sequence);
      const before = given.map(({ sequence }) => sequence);
      expect(numbers.filter((number) => number <= 5 || before.includes(number))).toEqual([]);
      for (const refused of [
        () => api.poll(stream, "s", { after: cursor }),
        () => api.commit(stream, "s", cursor),
        () => api.commitAndPoll(stream, "s", { commit: cursor }),
        () => api.seek(stream, "s", { cursor }),
      ]) {
        expect((await refusal(refused(), "invalid-cursor")).reason).toBe("restored");
      }
      const page = await api.poll(stream, "s");
      expect(dataOf(page)).toEqual([1, 2, 3, 4, 5, 11, 12, 13, 14, 15, 16, 17, 18]);
      expect(page.body.caughtUp).toBe(true);
      expect((await api.commit(stream, "s", page.body.cursor)).body.stale).toBe(false);
      const retried = await api.publish(stream, events(6, 10), { idempotencyKey: "six" });
      expect(retried.status).toBe(201);
      expect(dataOf(await api.poll(stream, "s"))).toEqual([6, 7, 8, 9, 10]);
    });
  },
);

it("[restore.resume] only the admin key may complete a restore, and a problem names what is wrong with a body", async () => {
  await on(`restored-${randomUUID()}`, async (api, url) => {
    const { body } = await api.send({
      method: "POST",
      path: "/keys",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "all", scopes: ["admin"], streams: ["*"] }),
    });
    const { apiKey } = body as { apiKey: string };
    const ask = (key: string, json: string) =>
      send(
        { baseUrl: url, apiKey: key },
        {
          method: "POST",
          path: "/restored",
          body: json,
          headers: { "content-type": "application/json" },
        },
      );
    expect((await ask(apiKey, "{}")).body).toMatchObject({ status: 403, code: "forbidden" });
    for (const [json, pointer] of [
      ['{"name":"A B"}', "/name"],
      ['{"name":1}', "/name"],
      ['{"other":1}', "/other"],
      ["[]", ""],
    ] as const) {
      expect((await ask(adminKey, json)).body).toMatchObject({
        code: "invalid-request",
        errors: [{ pointer }],
      });
    }
    expect((await ask(adminKey, "{}")).body).toEqual({ streams: 0, done: true });
  });
});

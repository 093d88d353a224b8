import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { ask, lasting } from "./ask.ts";
import { goOn } from "./go-on.ts";
import { checkOut, type Served } from "./old-code.ts";
import { storedCommits } from "./stored.ts";
import { type Notes, tell } from "./story.ts";

/**
 * These tests roll back: today's code writes, and the code of an earlier release continues. They
 * need the history of the repository and the npm registry, so they run at night.
 */
describe.each(storedCommits())("after a rollback to %s", (commit) => {
  const secrets = { adminKey: `elk_admin_${randomUUID()}`, cursorKey: `cursor-${randomUUID()}` };
  const serving = {
    endpoint: inject("dynamoEndpoint"),
    tableName: `rolled-back-${randomUUID()}`,
    ...secrets,
  };
  let old: ReturnType<typeof checkOut>;
  let server: Served;
  let notes: Notes;

  beforeAll(async () => {
    const client = new DynamoDBClient(localAws(serving.endpoint));
    await ensureTable(client, serving.tableName);
    client.destroy();
    old = checkOut(commit);
    const opened = openLedger({ region: LOCAL_REGION, ...serving });
    const today = await startServer(opened, { host: "127.0.0.1", port: 0 });
    notes = await tell(today.url, secrets);
    await today.stop();
    opened.close();
    server = await old.serve(serving);
  }, 240_000);
  afterAll(async () => {
    await server?.stop();
    old?.remove();
  });

  it("every event, state, position and key is read as it was", async () => {
    for (const { asked, answer } of notes.seen) {
      if (answer.status >= 400) continue;
      const now = await ask(server.url, asked);
      expect(now.status, asked.path).toBe(200);
      expect(lasting(answer.body), asked.path).toMatchObject(lasting(now.body) as object);
    }
  });

  it("everything continues, except keyed publishes, whose retries are refused for two days", async () => {
    await goOn(server.url, notes, { rolledBack: true });
  });
});

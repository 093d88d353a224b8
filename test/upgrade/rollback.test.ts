import { randomUUID } from "node:crypto";
import { DeleteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { systemClock } from "@eventledger/core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { ask, knownStreams, lasting } from "./ask.ts";
import { goOn } from "./go-on.ts";
import {
  goBack,
  goOnAfterGap,
  goOnLater,
  type LaterNotes,
  publishUnlisted,
  tellLater,
} from "./later.ts";
import { checkOut, type Served } from "./old-code.ts";
import { FIRST_RELEASE, scanRows, storedCommits } from "./stored.ts";
import { type Notes, tell } from "./story.ts";

/** Longer than a snapshot keeps the log. */
const LATER_MS = 26 * 3_600_000;

/**
 * These tests roll back: today's code writes, and the code of an earlier release continues. They
 * need the history of the repository and the npm registry, so they run at night.
 */
describe.each(storedCommits())("after a rollback to %s", (commit) => {
  const isFirst = commit === FIRST_RELEASE;
  const secrets = { adminKey: `elk_admin_${randomUUID()}`, cursorKey: `cursor-${randomUUID()}` };
  const serving = {
    endpoint: inject("dynamoEndpoint"),
    tableName: `rolled-back-${randomUUID()}`,
    ...secrets,
  };
  const client = new DynamoDBClient(localAws(serving.endpoint));
  let old: ReturnType<typeof checkOut>;
  let server: Served;
  let notes: Notes;
  let later: LaterNotes;

  /** Today's code, with a clock that is ahead. */
  async function serveToday(aheadMs = 0): Promise<Served> {
    const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    const opened = openLedger({ region: LOCAL_REGION, ...serving, clock });
    const { url, stop } = await startServer(opened, { host: "127.0.0.1", port: 0 });
    return {
      url,
      stop: async () => {
        await stop();
        opened.close();
      },
    };
  }

  async function change(to: Promise<Served> | Served): Promise<void> {
    await server?.stop();
    server = await to;
  }

  beforeAll(async () => {
    await ensureTable(client, serving.tableName);
    old = checkOut(commit);
    server = await serveToday();
    notes = await tell(server.url, secrets);
    later = await tellLater(server.url, secrets.adminKey);
    await change(old.serve(serving));
  }, 240_000);
  afterAll(async () => {
    await server?.stop();
    old?.remove();
    client.destroy();
  });

  it("every event, state, position and key is read as it was", async () => {
    for (const { asked, answer } of notes.seen) {
      if (answer.status >= 400) continue;
      const now = await ask(server.url, asked);
      expect(now.status, asked.path).toBe(200);
      const known = lasting(knownStreams(now.body, answer.body));
      expect(lasting(answer.body), asked.path).toMatchObject(known as object);
    }
  });

  it("everything continues, except keyed publishes, whose retries are refused for two days", async () => {
    const consumes = isFirst ? "nothing" : "polls";
    await goOn(server.url, notes, { rolledBack: isFirst, consumes });
  });

  it("after a change of partitions nothing is written, a difference is refused, and a part has no end", async ({
    skip,
  }) => {
    skip(!isFirst, "this release knows partitions that change, differences and parts");
    await goBack(server.url, secrets.adminKey, later);
  });

  it("today's code then continues in all partitions, in each difference and in each part", async () => {
    if (isFirst) await change(serveToday());
    await goOnLater(server.url, secrets.adminKey, later);
  });

  it("[difference.reach] a list of changes begins again where an earlier version has left a gap", async ({
    skip,
  }) => {
    skip(!isFirst, "this release lists changes");
    await change(old.serve(serving));
    await publishUnlisted(server.url, secrets.adminKey);
    await change(old.serve({ ...serving, aheadMs: LATER_MS }));
    await removeLog("short");
    await change(serveToday(LATER_MS));
    await goOnAfterGap(server.url, secrets.adminKey, later);
  });

  /** Removes the batches of a stream, as the table does when their time is over. */
  async function removeLog(stream: string): Promise<void> {
    const { tableName: TableName } = serving;
    for (const { pk, sk } of await scanRows(client, TableName)) {
      if (!pk?.S?.startsWith(`STREAM#${stream}#`) || !sk?.S?.startsWith("SEQ#")) continue;
      await client.send(new DeleteItemCommand({ TableName, Key: { pk, sk } }));
    }
  }
});

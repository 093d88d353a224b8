import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { systemClock } from "../packages/core/src/index.ts";
import { openArchive } from "../packages/functions/src/open-archive.ts";
import { openLedger } from "../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION, localAws } from "../packages/local/src/local-aws.ts";
import { startS3Server } from "../packages/local/src/s3/server.ts";
import { startStore } from "../packages/local/src/store.ts";
import { ensureTable } from "../packages/local/src/table.ts";
import { openStreamClient } from "./archive-client.ts";
import type { RouterFigures, RouterMessage } from "./archive-router.ts";

const DAY_MS = 24 * 3_600_000;
const TABLE = "bench";
/**
 * The heap of the router. By default V8 collects garbage only when it fills a part of the machine's
 * memory, so on a large machine the router keeps much more than it needs.
 */
export const ROUTER_OPTIONS = ["--max-old-space-size=128", "--max-semi-space-size=4"];

/**
 * Starts a store, a bucket in a folder, and a router in a process of its own. The sweeper runs in
 * this process. `setTime` sets the clock of the router and of the sweeper.
 */
export async function openArchiveBench(folder: string) {
  const { credentials } = localAws("");
  const store = await startStore();
  const table = new DynamoDBClient(localAws(store.endpoint));
  await ensureTable(table, TABLE);
  const s3 = await startS3Server({ bucket: "archive", folder, credentials });
  const archive = { bucket: "archive", locks: false, endpoint: s3.endpoint, credentials };
  const adminKey = `elk_${randomUUID()}`;
  let aheadMs = 0;
  const sweeper = openLedger({
    endpoint: store.endpoint,
    region: LOCAL_REGION,
    tableName: TABLE,
    adminKey,
    cursorKey: "the-cursor-key-of-the-benchmark",
    clock: { ...systemClock, now: () => Date.now() + aheadMs },
    archive,
  });
  const bucket = openArchive(archive, { region: LOCAL_REGION, clock: systemClock });
  const program = fileURLToPath(new URL("archive-router.ts", import.meta.url));
  const parameters = [store.endpoint, s3.endpoint, adminKey, TABLE];
  const router = fork(program, parameters, { execArgv: [...ROUTER_OPTIONS] });
  const [url] = (await once(router, "message")) as [string];

  const setTime = async (nowMs: number): Promise<void> => {
    aheadMs = nowMs - Date.now();
    await ask(router, { nowMs });
  };

  return {
    client: openStreamClient(url, adminKey, "orders"),
    setTime,
    figures: async () => (await ask(router, "figures")) as RouterFigures,

    /**
     * Advances the time by fifteen days. Returns when the table has no event up to the number
     * `last`.
     */
    async emptyTable(last: number): Promise<void> {
      for (let step = 0; ; step++) {
        const { stuck } = await sweeper.ledger.sweep();
        if (stuck.length > 0) throw stuck[0]?.error;
        if (step >= 3 && ((await oldestRow(table)) ?? Infinity) > last) return;
        if (step > 20) throw new Error(`The table still has ${await oldestRow(table)}`);
        await setTime(Date.now() + aheadMs + (step < 3 ? 5 * DAY_MS : DAY_MS / 12));
      }
    },

    /** Returns the first event that still has a row in the table. */
    oldestRow: () => oldestRow(table),

    /** Fetches objects into files, as an auditor does, with signed URLs. Returns their paths. */
    fetchObjects: (names: readonly string[]) =>
      Promise.all(
        names.map(async (name, at) => {
          const answer = await fetch(await bucket.objects.signedUrl(name, 600));
          const path = join(folder, `${at}.ndjson.gz`);
          writeFileSync(path, await answer.bytes());
          return path;
        }),
      ),

    async stop(): Promise<void> {
      const ended = once(router, "exit");
      router.send("stop" satisfies RouterMessage);
      await ended;
      sweeper.close();
      bucket.close();
      table.destroy();
      await s3.stop();
      await store.stop();
    },
  };
}

async function ask(router: ChildProcess, message: RouterMessage): Promise<unknown> {
  const answer = once(router, "message");
  router.send(message);
  const [given] = await answer;
  return given;
}

async function oldestRow(table: DynamoDBClient): Promise<number | undefined> {
  const firsts: number[] = [];
  for (let from: Record<string, never> | undefined; ; ) {
    const { Items = [], LastEvaluatedKey } = await table.send(
      new ScanCommand({
        TableName: TABLE,
        ProjectionExpression: "sk",
        FilterExpression: "begins_with(sk, :batch)",
        ExpressionAttributeValues: { ":batch": { S: "SEQ#" } },
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      }),
    );
    for (const { sk } of Items) firsts.push(Number(sk?.S?.slice("SEQ#".length)));
    if (LastEvaluatedKey === undefined) break;
    from = LastEvaluatedKey as Record<string, never>;
  }
  return firsts.length === 0 ? undefined : Math.min(...firsts);
}

import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { openLedger } from "@eventledger/functions/open-ledger.ts";
import { afterAll, inject } from "vitest";
import { systemClock } from "../../packages/core/src/kernel/clock.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { EventLedger } from "../../packages/sdk/src/index.ts";

/** Opens the real server over HTTP, with a clock that a test moves. Sweeps run only on request. */
export async function openWithMovingClock() {
  const endpoint = inject("dynamoEndpoint");
  const tableName = `sdk-clock-${randomUUID()}`;
  const table = new DynamoDBClient(localAws(endpoint));
  await ensureTable(table, tableName);
  table.destroy();
  let aheadMs = 0;
  const adminKey = "elk_test_moving_clock_admin_key_0123456789";
  const opened = openLedger({
    region: LOCAL_REGION,
    endpoint,
    tableName,
    adminKey,
    cursorKey: "a cursor key of a test that is long enough",
    clock: {
      ...systemClock,
      now: () => Date.now() + aheadMs,
      monotonic: () => performance.now() + aheadMs,
    },
  });
  const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
  afterAll(async () => {
    await server.stop();
    opened.close();
  });
  return {
    url: server.url,
    ledger: new EventLedger({ url: server.url, apiKey: adminKey }),
    pass(hours: number): void {
      aheadMs += hours * 3_600_000;
    },
    /** Removes everything that has expired. */
    sweep: () => opened.ledger.sweep(),
  };
}

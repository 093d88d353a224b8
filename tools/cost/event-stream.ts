import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type Clock, defaultTenant, systemClock } from "@eventledger/core";
import { followPages } from "../../packages/functions/src/http/event-stream/follow.ts";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { meterCapacity } from "../../test/support/capacity.ts";
import type { Units } from "./units.ts";

const KEY = "elk_cost_measurement";
const STREAM = "orders";
const NAME = "live";

/** The time that is measured. Each minute is a connection of its own, as on Lambda. */
const MINUTES = 20;

/**
 * Returns the cost of a minute of an event stream of a subscription without events, on the local
 * store. Its time passes in pauses and waits only.
 */
export async function measureEventStream(endpoint: string): Promise<Units> {
  const tableName = `cost-${randomUUID()}`;
  const admin = new DynamoDBClient(localAws(endpoint));
  await ensureTable(admin, tableName);
  admin.destroy();
  const openedAt = Date.now();
  let passedMs = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => openedAt + passedMs,
    monotonic: () => passedMs,
    sleep: async (ms) => {
      passedMs += ms;
    },
  };
  const config = { endpoint, region: LOCAL_REGION, tableName, adminKey: KEY, cursorKey: KEY };
  const { ledger, client, close } = openLedger({ ...config, clock, waitSecondsMax: 0 });
  const tenant = defaultTenant;
  await ledger.createStream(tenant, {
    name: STREAM,
    description: "",
    partitions: 1,
    compaction: "none",
    retentionHours: 24,
    archiveDays: null,
  });
  await ledger.createSubscription(tenant, STREAM, { name: NAME, start: "earliest" } as never);
  const poll = (of: { after?: string; waitSeconds?: number }) =>
    ledger.poll(tenant, STREAM, NAME, { limit: 100, held: true, ...of });
  const { measure } = meterCapacity(client);
  const { read, write } = await measure(async () => {
    let { cursor: after } = await poll({});
    for (let minute = 0; minute < MINUTES; minute++) {
      const first = await poll({ after });
      const pages = followPages(
        {
          stream: STREAM,
          first,
          readAfter: async (cursor, waitSeconds) => {
            after = cursor;
            return poll({ after: cursor, waitSeconds });
          },
          recheck: async () => {},
          isEnding: () => false,
          lastsMs: 60_000,
          printProblem: async (error) => String(error),
          gone: new AbortController().signal,
        },
        clock,
      );
      const text = await new Response(pages).text();
      if (text.includes("problem")) throw new Error(text);
      passedMs += 1_000; // the pause before the client reconnects
    }
  });
  close();
  return { read: rounded(read / MINUTES), write: rounded(write / MINUTES) };
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

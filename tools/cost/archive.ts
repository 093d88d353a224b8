import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { defaultTenant, type RawJson, systemClock } from "@eventledger/core";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { LOCAL_REGION, localAws } from "../../packages/local/src/local-aws.ts";
import { startS3Server } from "../../packages/local/src/s3/server.ts";
import { ensureTable } from "../../packages/local/src/table.ts";
import { type Consumption, meterCapacity } from "../../test/support/capacity.ts";
import { orderEvents } from "../../test/support/order-events.ts";
import type { Units } from "./units.ts";

/** The cost of archiving: units of the table, and requests to the bucket. */
export type ArchiveMeasured = {
  /** The cost of one segment. Bytes are those of its lines and of its object. */
  readonly segment: Units & {
    readonly puts: number;
    readonly heads: number;
    readonly rawBytes: number;
    readonly storedBytes: number;
  };
  /**
   * For a thousand events: the cost of publishing them in one request, and of removing their batch
   * later.
   */
  readonly publish: Units;
  readonly removal: Units;
  /** The cost of a page of a thousand events that begins in the middle of a segment. */
  readonly page: Units & { readonly gets: number };
};

const BATCH = 1_000;
/** This many batches fill a segment and a half. */
const BATCHES = 28;
const DAY_MS = 24 * 3_600_000;
const STREAM = "orders";

/** Archives a stream on the local store and bucket, removes its rows, and reads it back. */
export async function measureArchive(endpoint: string): Promise<ArchiveMeasured> {
  const { credentials } = localAws("");
  const s3 = await startS3Server({ bucket: "archive", credentials });
  const tableName = `cost-${randomUUID()}`;
  const admin = new DynamoDBClient(localAws(endpoint));
  await ensureTable(admin, tableName);
  admin.destroy();
  let nowMs = Date.now();
  const requests = new Map<string, number>();
  const opened = openLedger({
    endpoint,
    region: LOCAL_REGION,
    tableName,
    adminKey: "elk_cost_measurement",
    cursorKey: "elk_cost_measurement",
    clock: { ...systemClock, now: () => nowMs, monotonic: () => nowMs },
    archive: {
      bucket: "archive",
      locks: false,
      endpoint: s3.endpoint,
      credentials,
      prepare: (client) =>
        client.middlewareStack.add(
          (next, { commandName = "" }) =>
            (args) => {
              requests.set(commandName, (requests.get(commandName) ?? 0) + 1);
              return next(args);
            },
          { step: "initialize" },
        ),
    },
  });
  const { ledger } = opened;
  const { measure } = meterCapacity(opened.client);
  const cost = async (work: () => Promise<unknown>) => {
    requests.clear();
    return measure(work);
  };
  try {
    const settings = { description: "", compaction: "none", partitions: 1 } as const;
    const days = { retentionHours: 1, archiveDays: 365 };
    await ledger.createStream(defaultTenant, { name: STREAM, ...settings, ...days });
    const orders = orderEvents(BATCH * BATCHES).map(({ key, type, data }) => ({
      attributes: { key, type },
      data: JSON.stringify(data) as RawJson,
    }));
    const published = await cost(async () => {
      for (let at = 0; at < orders.length; at += BATCH)
        await ledger.publish(defaultTenant, STREAM, orders.slice(at, at + BATCH));
    });
    await ledger.compact(defaultTenant, STREAM);
    const archived = await cost(() => ledger.archive(defaultTenant, STREAM));
    const [puts, heads] = [requests.get("PutObjectCommand"), requests.get("HeadObjectCommand")];
    const { segments } = await ledger.listSegments(defaultTenant, STREAM, { limit: 10 });
    const [full] = segments;
    const each = (of: Consumption) => unitsOf(of, segments.length);
    nowMs += 5 * DAY_MS;
    await ledger.sweep();
    nowMs += 6 * DAY_MS;
    const swept = await cost(() => ledger.sweep());
    const page = await cost(() =>
      ledger.browse(defaultTenant, STREAM, { from: "5500", limit: 1_000 }),
    );
    return {
      segment: {
        ...each(archived),
        puts: (puts ?? 0) / segments.length,
        heads: (heads ?? 0) / segments.length,
        rawBytes: full?.rawBytes ?? 0,
        storedBytes: full?.bytes ?? 0,
      },
      publish: unitsOf(published, BATCHES),
      removal: unitsOf(swept, BATCHES),
      page: { ...unitsOf(page, 1), gets: requests.get("GetObjectCommand") ?? 0 },
    };
  } finally {
    opened.close();
    await s3.stop();
  }
}

const unitsOf = ({ read, write }: Consumption, by: number): Units => ({
  read: Math.round((read / by) * 100) / 100,
  write: Math.round((write / by) * 100) / 100,
});

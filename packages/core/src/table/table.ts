import { accessRows } from "./access-rows.ts";
import { apiKeyRows } from "./api-key.entity.ts";
import { appendRows } from "./append-rows.ts";
import { batchRows } from "./batch.entity.ts";
import { checkpointRows } from "./checkpoint.entity.ts";
import { compactedRows } from "./compacted.entity.ts";
import type { Connection } from "./connection.ts";
import { leaseRows } from "./lease-rows.ts";
import { lifecycleRows } from "./lifecycle-rows.ts";
import { memberRows } from "./member.entity.ts";
import { parkingRows } from "./parking-rows.ts";
import { receiptRows } from "./receipt.entity.ts";
import { removalRows } from "./removal.entity.ts";
import { createService } from "./service.ts";
import { streamRows } from "./stream.entity.ts";
import { subscriptionRows } from "./subscription.entity.ts";
import { tenantRows } from "./tenant.entity.ts";

/** The one table of the product, by kinds of rows. Each method is one request unless it says so. */
export const createTable = (connection: Connection) => {
  const service = createService(connection);
  const { apiKey, keyDirectory, tenant } = service.entities;
  const {
    batch,
    checkpoint,
    compacted,
    directory,
    member,
    offset,
    receipt,
    removal,
    stream,
    subscription,
  } = service.entities;
  return {
    access: accessRows(connection, service),
    apiKeys: apiKeyRows(connection, apiKey, keyDirectory),
    append: appendRows(service),
    batches: batchRows(connection, batch),
    checkpoints: checkpointRows(connection, checkpoint),
    compacted: compactedRows(connection, compacted),
    lifecycle: lifecycleRows(connection, service),
    leases: leaseRows(connection, offset),
    members: memberRows(connection, member),
    parking: parkingRows(connection, offset),
    receipts: receiptRows(connection, receipt),
    removals: removalRows(connection, removal),
    streams: streamRows(connection, stream, directory),
    subscriptions: subscriptionRows(connection, subscription, offset),
    tenants: tenantRows(connection, tenant),
  };
};

export type Table = ReturnType<typeof createTable>;

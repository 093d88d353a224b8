import { appendRows } from "./append-rows.ts";
import { batchRows } from "./batch.entity.ts";
import { checkpointRows } from "./checkpoint.entity.ts";
import type { Connection } from "./connection.ts";
import { lifecycleRows } from "./lifecycle-rows.ts";
import { removalRows } from "./removal.entity.ts";
import { createService } from "./service.ts";
import { streamRows } from "./stream.entity.ts";
import { subscriptionRows } from "./subscription.entity.ts";

/** The one table of the product, by kinds of rows. Each method is one request unless it says so. */
export const createTable = (connection: Connection) => {
  const service = createService(connection);
  const { batch, checkpoint, directory, offset, removal, stream, subscription } = service.entities;
  return {
    append: appendRows(service),
    batches: batchRows(connection, batch),
    checkpoints: checkpointRows(connection, checkpoint),
    lifecycle: lifecycleRows(connection, service),
    removals: removalRows(connection, removal),
    streams: streamRows(connection, stream, directory),
    subscriptions: subscriptionRows(connection, subscription, offset),
  };
};

export type Table = ReturnType<typeof createTable>;

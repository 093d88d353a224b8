import { accessRows } from "./access-rows.ts";
import { apiKeyRows } from "./api-key.entity.ts";
import { appendRows } from "./append-rows.ts";
import { batchRows } from "./batch.entity.ts";
import { changeRows } from "./changes.entity.ts";
import { checkpointRows } from "./checkpoint.entity.ts";
import { compactedRows } from "./compacted.entity.ts";
import type { Connection } from "./connection.ts";
import { deletionRows } from "./deletion.entity.ts";
import { directoryRows } from "./directory.entity.ts";
import { erasureRows } from "./erasure.entity.ts";
import { exportRows } from "./export.entity.ts";
import { lazily } from "./lazily.ts";
import { leaseRows } from "./lease-rows.ts";
import { lifecycleRows } from "./lifecycle-rows.ts";
import { memberRows } from "./member.entity.ts";
import { parkingRows } from "./parking-rows.ts";
import { pushRows } from "./push.entity.ts";
import { pushWorkRows } from "./push-work.entity.ts";
import { quotaRows } from "./quota.entity.ts";
import { receiptRows } from "./receipt.entity.ts";
import { removalRows } from "./removal.entity.ts";
import { restoreRows } from "./restore-rows.ts";
import { createRowKinds, type RowKinds } from "./row-kinds.ts";
import { segmentRows } from "./segment.entity.ts";
import { streamRows } from "./stream.entity.ts";
import { subscriptionRows } from "./subscription.entity.ts";
import { subscriptionLifecycleRows } from "./subscription-lifecycle-rows.ts";
import { tenantRows } from "./tenant.entity.ts";
import { usageRows } from "./usage.entity.ts";

/**
 * The only table of the product, by kinds of rows. Each method is one request unless its comment
 * states otherwise.
 */
export const createTable = (connection: Connection) => {
  const kinds = createRowKinds(connection);
  return lazily({
    access: () => accessRows(connection, accessKinds(kinds)),
    apiKeys: () => apiKeyRows(connection, kinds.apiKey, kinds.keyDirectory),
    append: () => appendRows(connection, kinds),
    batches: () => batchRows(connection, kinds.batch),
    changes: () => changeRows(connection, changeKinds(kinds)),
    checkpoints: () => checkpointRows(connection, kinds.checkpoint),
    compacted: () => compactedRows(connection, kinds.compacted),
    deletions: () => deletionRows(connection, kinds.deletion),
    directory: () => directoryRows(connection, kinds.directory, kinds.stream),
    erasures: () => erasureRows(connection, erasureKinds(kinds)),
    exports: () => exportRows(connection, kinds.export),
    lifecycle: () => ({
      ...lifecycleRows(connection, lifecycleKinds(kinds)),
      ...subscriptionLifecycleRows(connection, lifecycleKinds(kinds)),
    }),
    leases: () => leaseRows(connection, kinds.offset),
    members: () => memberRows(connection, kinds.member),
    parking: () => parkingRows(connection, kinds.offset),
    quotas: () => quotaRows(connection, kinds.quota),
    pushes: () => pushRows(connection, kinds.push),
    pushWork: () => pushWorkRows(connection, pushKinds(kinds)),
    receipts: () => receiptRows(connection, kinds.receipt),
    removals: () => removalRows(connection, kinds.removal),
    restores: () => restoreRows(connection, restoreKinds(kinds), kinds.stream),
    segments: () => segmentRows(connection, segmentKinds(kinds)),
    streams: () => streamRows(connection, kinds.stream),
    subscriptions: () => subscriptionRows(connection, kinds.subscription, kinds.offset),
    tenants: () => tenantRows(connection, kinds.tenant),
    usage: () => usageRows(connection, kinds.published, kinds.used),
  });
};

export type Table = ReturnType<typeof createTable>;

const pushKinds = ({ pushBell, pushRetry, pushFailure }: RowKinds) => ({
  bell: pushBell,
  retry: pushRetry,
  failure: pushFailure,
});

const changeKinds = ({ changeList, changes }: RowKinds) => ({ changeList, changes });

const erasureKinds = ({ erasure, openErasure }: RowKinds) => ({ erasure, openErasure });

const accessKinds = ({ apiKey, keyDirectory, deletion }: RowKinds) => ({
  apiKey,
  keyDirectory,
  deletion,
});

const segmentKinds = ({ segment, checkpoint, stream }: RowKinds) => ({
  segment,
  checkpoint,
  stream,
});

const restoreKinds = ({ batch, checkpoint }: RowKinds) => ({ batch, checkpoint });

const lifecycleKinds = (kinds: RowKinds) => {
  const { stream, directory, checkpoint, removal, subscription, offset, deletion } = kinds;
  return { stream, directory, checkpoint, removal, subscription, offset, deletion };
};

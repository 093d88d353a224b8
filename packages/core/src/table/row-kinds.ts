import { apiKeyEntity, keyDirectoryEntity } from "./api-key.entity.ts";
import { batchEntity } from "./batch.entity.ts";
import { changeListEntity, changesEntity } from "./changes.entity.ts";
import { checkpointEntity } from "./checkpoint.entity.ts";
import { compactedEntity } from "./compacted.entity.ts";
import type { Connection } from "./connection.ts";
import { deletionEntity } from "./deletion.entity.ts";
import { directoryEntity } from "./directory.entity.ts";
import { erasureEntity, openErasureEntity } from "./erasure.entity.ts";
import { exportEntity } from "./export.entity.ts";
import { lazily } from "./lazily.ts";
import { memberEntity } from "./member.entity.ts";
import { offsetEntity } from "./offset.entity.ts";
import { pushEntity } from "./push.entity.ts";
import { pushBellEntity, pushFailureEntity, pushRetryEntity } from "./push-work.entity.ts";
import { quotaEntity } from "./quota.entity.ts";
import { receiptEntity } from "./receipt.entity.ts";
import { removalEntity } from "./removal.entity.ts";
import { segmentEntity } from "./segment.entity.ts";
import { streamEntity } from "./stream.entity.ts";
import { subscriptionEntity } from "./subscription.entity.ts";
import { tenantEntity } from "./tenant.entity.ts";
import { publishedEntity, usedEntity } from "./usage.entity.ts";

/**
 * Every row kind of the table, created on first use. Creating all of them is a fifth of a cold
 * start, and no request needs more than half.
 */
export const createRowKinds = (connection: Connection) =>
  lazily({
    apiKey: () => apiKeyEntity(connection),
    batch: () => batchEntity(connection),
    changeList: () => changeListEntity(connection),
    changes: () => changesEntity(connection),
    checkpoint: () => checkpointEntity(connection),
    compacted: () => compactedEntity(connection),
    deletion: () => deletionEntity(connection),
    directory: () => directoryEntity(connection),
    erasure: () => erasureEntity(connection),
    export: () => exportEntity(connection),
    keyDirectory: () => keyDirectoryEntity(connection),
    member: () => memberEntity(connection),
    offset: () => offsetEntity(connection),
    openErasure: () => openErasureEntity(connection),
    published: () => publishedEntity(connection),
    push: () => pushEntity(connection),
    pushBell: () => pushBellEntity(connection),
    pushFailure: () => pushFailureEntity(connection),
    pushRetry: () => pushRetryEntity(connection),
    quota: () => quotaEntity(connection),
    receipt: () => receiptEntity(connection),
    removal: () => removalEntity(connection),
    segment: () => segmentEntity(connection),
    stream: () => streamEntity(connection),
    subscription: () => subscriptionEntity(connection),
    tenant: () => tenantEntity(connection),
    used: () => usedEntity(connection),
  });

export type RowKinds = ReturnType<typeof createRowKinds>;

import { Service as ElectroService } from "electrodb";
import { apiKeyEntity, keyDirectoryEntity } from "./api-key.entity.ts";
import { batchEntity } from "./batch.entity.ts";
import { checkpointEntity } from "./checkpoint.entity.ts";
import { compactedEntity } from "./compacted.entity.ts";
import { type Connection, entityConfig } from "./connection.ts";
import { memberEntity } from "./member.entity.ts";
import { receiptEntity } from "./receipt.entity.ts";
import { removalEntity } from "./removal.entity.ts";
import { directoryEntity, streamEntity } from "./stream.entity.ts";
import { offsetEntity, subscriptionEntity } from "./subscription.entity.ts";
import { tenantEntity } from "./tenant.entity.ts";

/** Every row kind of the table, able to take part in one transaction. */
export const createService = (connection: Connection) =>
  new ElectroService(
    {
      apiKey: apiKeyEntity(connection),
      batch: batchEntity(connection),
      checkpoint: checkpointEntity(connection),
      compacted: compactedEntity(connection),
      directory: directoryEntity(connection),
      keyDirectory: keyDirectoryEntity(connection),
      member: memberEntity(connection),
      offset: offsetEntity(connection),
      receipt: receiptEntity(connection),
      removal: removalEntity(connection),
      stream: streamEntity(connection),
      subscription: subscriptionEntity(connection),
      tenant: tenantEntity(connection),
    },
    entityConfig(connection),
  );

export type Service = ReturnType<typeof createService>;

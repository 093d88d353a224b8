import { createWriteTransaction } from "electrodb";
import { type ApiKeyRow, toStoredApiKey } from "./api-key.entity.ts";
import type { Connection } from "./connection.ts";
import type { toDeletion } from "./deletion.entity.ts";
import type { RowKinds } from "./row-kinds.ts";
import { transact } from "./transaction.ts";

/**
 * Creates and removes API keys. Each change is one transaction of the key and its entry in the
 * list.
 */
export const accessRows = (
  connection: Connection,
  entities: Pick<RowKinds, "apiKey" | "keyDirectory" | "deletion">,
) => ({
  /**
   * Creates a key if the key that makes it exists: a revoked key makes nothing more. Returns false
   * when the maker is gone, and when the id is taken, perhaps by an earlier try of this call. The
   * caller compares hashes to find out.
   */
  async createKey(row: ApiKeyRow, makerId: string | undefined): Promise<boolean> {
    const reasons = await transact(connection, () =>
      createWriteTransaction(entities, ({ apiKey, keyDirectory }) => [
        apiKey.create(toStoredApiKey(row)).commit(),
        keyDirectory.put({ tenant: row.tenant, id: row.id }).commit(),
        ...(makerId === undefined
          ? []
          : [
              apiKey
                .check({ id: makerId })
                .where((of, { exists }) => exists(of.hash))
                .commit(),
            ]),
      ]).go(),
    );
    return reasons === undefined;
  },

  /** Deletes a key, and records the deletion. Repeating the call is harmless. */
  async removeKey(
    { tenant, id }: Pick<ApiKeyRow, "tenant" | "id">,
    deletion: ReturnType<typeof toDeletion>,
  ): Promise<void> {
    await transact(connection, () =>
      createWriteTransaction(entities, ({ apiKey, keyDirectory, deletion: deletions }) => [
        deletions.put(deletion).commit(),
        apiKey.delete({ id }).commit(),
        keyDirectory.delete({ tenant, id }).commit(),
      ]).go(),
    );
  },
});

import { createWriteTransaction } from "electrodb";
import { type ApiKeyRow, toStoredApiKey } from "./api-key.entity.ts";
import type { Connection } from "./connection.ts";
import type { toDeletion } from "./deletion.entity.ts";
import type { RowKinds } from "./row-kinds.ts";
import { transact } from "./transaction.ts";

/** Beginnings and ends of API keys: each one transaction, the key and its entry in the list. */
export const accessRows = (
  connection: Connection,
  entities: Pick<RowKinds, "apiKey" | "keyDirectory" | "deletion">,
) => ({
  /**
   * Makes a key if the key that makes it is there: what is revoked makes nothing from then on.
   * False when it is gone, and when the id is taken, perhaps by an earlier try of this call:
   * compare hashes.
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

  /** Deletes a key, and remembers that. Doing it twice is harmless. */
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

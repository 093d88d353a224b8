import type { ChangeList } from "../../../../packages/core/src/model/change.ts";
import type { Batch } from "../../../../packages/core/src/table/batch.ts";
import type { ChangesRow } from "../../../../packages/core/src/table/changes.entity.ts";
import type { Checkpoint, Pin } from "../../../../packages/core/src/table/checkpoint.entity.ts";
import type { CompactedRow } from "../../../../packages/core/src/table/compacted-row.ts";

/** The rows of one partition that a difference reads, and that the list of changes is made from. */
export type Rows = {
  readonly batches: Batch[];
  checkpoint: Checkpoint;
  list: ChangeList | undefined;
  readonly chunks: Map<string, ChangesRow>;
  readonly states: Map<string, CompactedRow>;
};

/** Runs a request when the schedule says so. It never answers when its process has crashed. */
export type Gate = <T>(request: () => T) => Promise<T>;

/**
 * The table as the code under test sees it, with one partition. Each method is one request. The
 * rules of the real requests are repeated here: they are strongly consistent, and `save` has a
 * condition.
 */
export const tableOf = (rows: Rows, gate: Gate) => ({
  checkpoints: {
    load: () => gate(() => ({ ...rows.checkpoint })),
    pin: (_: unknown, __: unknown, next: number, pins: readonly Pin[]) =>
      gate(() => {
        if (rows.checkpoint.next !== next) return false;
        rows.checkpoint = { ...rows.checkpoint, pins };
        return true;
      }),
  },
  batches: {
    loadFrom: (_: unknown, __: unknown, from: number, limit: number) =>
      gate(() => {
        const found = rows.batches.filter(({ first }) => first >= from);
        return { batches: found.slice(0, limit), more: found.length > limit };
      }),
  },
  changes: {
    load: () => gate(() => rows.list),
    save: (_: unknown, __: unknown, list: ChangeList, before: string | undefined) =>
      gate(() => {
        if (rows.list?.revision !== before) return false;
        rows.list = list;
        return true;
      }),
    put: (_: unknown, __: unknown, row: ChangesRow) =>
      gate(() => void rows.chunks.set(row.id, row)),
    loadChunks: (_: unknown, __: unknown, ids: readonly string[]) =>
      gate(() => ids.map((id) => rows.chunks.get(id))),
    removeChunks: (_: unknown, __: unknown, ids: readonly string[]) =>
      ids.length === 0
        ? Promise.resolve()
        : gate(() => {
            for (const id of ids) rows.chunks.delete(id);
          }),
  },
  compacted: {
    loadEach: (_: unknown, keys: readonly { readonly key: string }[]) =>
      gate(() => keys.map(({ key }) => rows.states.get(key))),
  },
});

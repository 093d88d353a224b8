import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { StoredEvent } from "../../../../packages/core/src/model/event.ts";
import type { Batch } from "../../../../packages/core/src/table/batch.ts";
import type { CompactedRow } from "../../../../packages/core/src/table/compacted-row.ts";

type ListChanges = typeof import("../../../../packages/core/src/compaction/list-changes.ts");
type Difference = typeof import("../../../../packages/core/src/snapshot/difference.ts");

/** The parts of core that a world of differences runs. */
export type CoreOfLists = {
  readonly listChanges: ListChanges["listChanges"];
  readonly createDifferences: Difference["createDifferences"];
  batchOf(events: readonly StoredEvent[]): Batch;
  rowOf(event: StoredEvent): CompactedRow;
};

const CORE = join(import.meta.dirname, "../../../../packages/core/src");

export async function loadCoreOfLists(): Promise<CoreOfLists> {
  const load = (path: string) => import(pathToFileURL(join(CORE, path)).href);
  const { listChanges } = await load("compaction/list-changes.ts");
  const { createDifferences } = await load("snapshot/difference.ts");
  const { entryOf, packEvents } = await load("log/codec.ts");
  const { planRows } = await load("compaction/compaction-plan.ts");
  return {
    listChanges,
    createDifferences,
    batchOf(events) {
      const [{ sequence: first, publishedAt } = { sequence: 1, publishedAt: 0 }] = events;
      const entries = events.map(({ key, id, data }) => entryOf({ attributes: { key, id }, data }));
      const batchId = new Uint8Array(16);
      return { first, count: events.length, batchId, publishedAt, ...packEvents(entries) };
    },
    rowOf(event) {
      const latest = new Map([[event.key, event]]);
      const [row] = planRows(
        { latest, between: new Map() },
        { partition: 0, nowMs: event.publishedAt },
      );
      return row;
    },
  };
}

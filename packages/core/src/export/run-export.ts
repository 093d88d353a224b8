import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { LedgerError } from "../kernel/error.ts";
import type { Partitioned } from "../model/epochs.ts";
import { objectsOf } from "../model/names.ts";
import type { Objects } from "../objects/objects.ts";
import type { ExportChange, ExportRow } from "../table/export.entity.ts";
import type { Table } from "../table/table.ts";
import {
  addPage,
  type ExportPage,
  emptyDraft,
  isFull,
  isRowFull,
  linesOf,
  type PartDraft,
  partName,
} from "./part-plan.ts";

/** The source of an export. */
export type ExportSource = {
  /** The stream with its partitions, as of the last page. */
  stream(): Partitioned;
  loadPage(cursor: string | undefined): Promise<ExportPage>;
};

type Deps = { readonly table: Table; readonly objects: Objects };

/**
 * Continues an export until it ends or `mayGoOn` returns false, but reads at least one page. Each
 * part is written in this order: its object, then the row of the export, if the row still is where
 * the part began. A crash in between leaves an object that the row does not name. It is removed
 * with the others. Concurrent runs are harmless. Returns the export as it is now, or undefined when
 * it is gone.
 */
export async function runExport(
  { table, objects }: Deps,
  row: ExportRow,
  source: ExportSource,
  mayGoOn: () => boolean,
): Promise<ExportRow | undefined> {
  let current: ExportRow | undefined = row;
  do {
    if (current.status !== "running") return current;
    const change = await writePart(objects, current, source, mayGoOn).catch(failureOf);
    await table.exports.change(current, change);
    // Another run may have been faster, or an earlier attempt of this change has succeeded.
    current = await table.exports.load(row.life, row.id);
  } while (current !== undefined && mayGoOn());
  return current;
}

async function writePart(
  objects: Objects,
  row: ExportRow,
  source: ExportSource,
  mayGoOn: () => boolean,
): Promise<ExportChange> {
  let draft: PartDraft = emptyDraft;
  let page: ExportPage | undefined;
  do {
    page = await source.loadPage(page === undefined ? row.cursor : page.cursor);
    if (page.events.length > 0) {
      const lines = Buffer.from(linesOf(page.events));
      const packed = { member: gzipSync(lines), rawBytes: lines.length };
      const stream = row.view === "state" ? undefined : source.stream();
      draft = addPage(draft, page.events, stream, packed);
    }
  } while (!page.isLast && !isFull(draft) && mayGoOn());
  const parts = draft.events === 0 ? row.parts : await append(objects, row, draft);
  const isDone = page.isLast || isRowFull(parts);
  const { cursor, follow } = page;
  return { parts, cursor, follow, ...(isDone ? { status: "done" as const } : {}) };
}

async function append(
  objects: Objects,
  row: ExportRow,
  { members, events, rawBytes, ranges }: PartDraft,
): Promise<ExportRow["parts"]> {
  const body = Buffer.concat(members);
  const sha256 = createHash("sha256").update(body).digest("hex");
  const name = partName(objectsOf(row.name, row.uid), row, row.parts.length, sha256);
  // Without a content encoding, every client gets the bytes that were hashed.
  await objects.create(name, body, { contentType: "application/gzip" });
  const listed = [...ranges].map(([partition, [first, last]]) => [partition, first, last] as const);
  return [...row.parts, { events, rawBytes, bytes: body.length, sha256, ranges: listed }];
}

/** Problems that another attempt does not solve. */
const FINAL = ["bootstrap-expired", "invalid-cursor", "not-compacted", "retention-passed"];

function failureOf(error: unknown): ExportChange {
  if (!(error instanceof LedgerError) || !FINAL.includes(error.code)) throw error;
  return { status: "failed", problem: error.code };
}

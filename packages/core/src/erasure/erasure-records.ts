import { objectsOf, type ScopedName } from "../model/names.ts";
import { noObjects } from "../objects/no-objects.ts";
import type { Objects } from "../objects/objects.ts";
import type { ErasureRow } from "../table/erasure.entity.ts";
import type { Segment } from "../table/segment.entity.ts";

/**
 * What the bucket knows about erasures. A table can be restored to a moment before an erasure, and
 * the bucket cannot. So the erasure is repeated from its record, and the objects that it has
 * replaced are found again.
 */

type Named = { readonly name: ScopedName; readonly uid: string };

/** A request to erase a key. `createdAt` is in milliseconds since 1970. */
export type ErasureRecord = Pick<ErasureRow, "id" | "key" | "reason" | "createdAt">;

const prefixOf = ({ name, uid }: Named): string => `${objectsOf(name, uid)}erasures/`;

const JSON_OBJECT = { contentType: "application/json" };
const BYTES_MAX = 64 * 1024;
const PAGE = 100;

/** Records an erasure, if there is a bucket. Repeating the call is harmless. */
export async function keepRecord(objects: Objects, row: ErasureRow): Promise<void> {
  if (objects === noObjects) return;
  const { id, key, reason, createdAt } = row;
  const record: ErasureRecord = { id, key, reason, createdAt };
  await objects.create(`${prefixOf(row)}${id}`, Buffer.from(JSON.stringify(record)), JSON_OBJECT);
}

/** Returns the records of a life, the oldest first. */
export async function loadRecords(objects: Objects, of: Named): Promise<ErasureRecord[]> {
  if (objects === noObjects) return [];
  const records: ErasureRecord[] = [];
  for (let after: string | undefined; ; ) {
    const { names, more } = await objects.list(prefixOf(of), after, PAGE);
    for (const name of names) {
      const bytes = await objects.read(name, 0, BYTES_MAX);
      if (bytes !== undefined) records.push(JSON.parse(Buffer.from(bytes).toString()));
    }
    after = names.at(-1);
    if (!more || after === undefined) return records;
  }
}

/** What took the place of an object of the archive. */
export type Successor = Required<Pick<Segment, "rewritten" | "proof">>;

/** An object is at most this large, because its index of blocks is part of it. */
const SUCCESSOR_BYTES_MAX = 8 * 1024 * 1024;

const successorName = (object: string): string => `${object}.erased`;

/** Records what takes the place of an object, before it is removed. */
export async function keepSuccessor(
  objects: Objects,
  object: string,
  { rewritten, proof }: Pick<Segment, "rewritten" | "proof">,
): Promise<void> {
  const body = Buffer.from(JSON.stringify({ rewritten, proof }));
  await objects.create(successorName(object), body, JSON_OBJECT);
}

/** Returns what took the place of an object. Undefined if nothing did. */
export async function loadSuccessor(
  objects: Objects,
  object: string,
): Promise<Successor | undefined> {
  const bytes = await objects.read(successorName(object), 0, SUCCESSOR_BYTES_MAX);
  return bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString());
}

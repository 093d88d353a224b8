import { exportPrefix } from "../export/part-plan.ts";
import { type Life, objectsOf, type ScopedName } from "../model/names.ts";
import { nothingParked } from "../model/parking.ts";
import { type Objects, ObjectsLocked } from "../objects/objects.ts";
import type { ErasureRow } from "../table/erasure.entity.ts";
import { objectOf } from "../table/segment.entity.ts";
import type { Table } from "../table/table.ts";

type Deps = { readonly table: Table; readonly objects: Objects };

const PAGE = 100;
const OBJECTS = 500;

/** What takes the place of a reason that a client gave. */
const ERASED = "(erased)";

/**
 * Removes what was written down about the deliveries of the key: the answers of endpoints, and the
 * reasons for which it is parked. Both may repeat its data. Returns whether the stream is pushed
 * anywhere.
 */
export async function eraseNotes(
  { table }: Pick<Deps, "table">,
  { life, name, uid, key, chains = [], tombstone = 0 }: ErasureRow,
): Promise<{ readonly isPushed: boolean }> {
  let isPushed = false;
  for (let after: string | undefined; ; ) {
    const page = await table.subscriptions.list(name, uid, PAGE, after);
    for (const { uid: subscriptionUid } of page.subscriptions) {
      const place = { life, subscriptionUid };
      isPushed ||= (await table.pushes.load(place)) !== undefined;
      await table.pushWork.removeFailures(place, { key, until: tombstone });
      for (const { partition } of chains) await eraseReasons(table, place, partition, key);
    }
    if (page.next === null) return { isPushed };
    after = page.next;
  }
}

async function eraseReasons(
  table: Table,
  place: { readonly life: Life; readonly subscriptionUid: string },
  partition: number,
  key: string,
): Promise<void> {
  for (;;) {
    const row = await table.parking.load(place, partition);
    const { keys, skipped, ...rest } = row?.parking ?? nothingParked;
    const has = (each: { readonly key: string; readonly reason: string }) =>
      each.key === key && each.reason !== ERASED;
    if (row === undefined || !(keys.some(has) || skipped.some(has))) return;
    const erase = <T extends { readonly key: string; readonly reason: string }>(each: T): T =>
      has(each) ? { ...each, reason: ERASED } : each;
    await table.parking.change(place, row, {
      ...rest,
      revision: rest.revision + 1,
      keys: keys.map(erase),
      skipped: skipped.map(erase),
    });
  }
}

/** Ends the exports of a stream. A run of one that is in progress can record no further part. */
export async function endExports(
  { table }: Pick<Deps, "table">,
  life: Life,
  nowMs: number,
): Promise<{ readonly ended: number }> {
  const present = await table.exports.idsOf(life);
  for (const { id } of present) {
    for (;;) {
      const row = await table.exports.load(life, id);
      if (row === undefined || row.endsAt <= nowMs) break;
      if (await table.exports.change(row, { status: "failed", endsAt: nowMs })) break;
    }
  }
  return { ended: present.length };
}

/**
 * Removes the objects of a stream that no row names any more: those of ended exports, and those of
 * the archive that lost a race or whose writer has crashed. Nothing may be writing the archive's
 * objects of this range any more. Returns false when a lock keeps some of them.
 */
export async function removeUnnamed(
  deps: Deps,
  of: { readonly life: Life; readonly name: ScopedName; readonly uid: string },
  partitions: readonly number[],
  nowMs: number,
): Promise<boolean> {
  const { life, name, uid } = of;
  const prefix = objectsOf(name, uid);
  let isClear = await removeSome(deps.objects, `${prefix}exports/`, async (names) => {
    const live = (await deps.table.exports.idsOf(life)).filter(({ endsAt }) => endsAt > nowMs);
    const kept = live.map(({ id }) => exportPrefix(prefix, { id }));
    return names.filter((each) => !kept.some((start) => each.startsWith(start)));
  });
  for (const partition of partitions) {
    const start = `${prefix}P${partition}/`;
    const isGone = await removeSome(deps.objects, start, (names) =>
      unnamed(deps.table, { life, partition }, names),
    );
    isClear &&= isGone;
  }
  return isClear;
}

/** Removes those of the objects with a prefix that `select` returns. */
async function removeSome(
  objects: Objects,
  prefix: string,
  select: (names: readonly string[]) => Promise<readonly string[]>,
): Promise<boolean> {
  let isClear = true;
  for (let after: string | undefined; ; ) {
    const { names, more } = await objects.list(prefix, after, OBJECTS);
    const chosen = names.length === 0 ? [] : await select(names);
    try {
      if (chosen.length > 0) await objects.remove(chosen);
    } catch (error) {
      if (!(error instanceof ObjectsLocked)) throw error;
      isClear = false;
    }
    if (!more) return isClear;
    after = names.at(-1);
  }
}

/**
 * Returns the objects of a partition that no row names and none will. An archiver names its object
 * in the transaction that moves the watermark over its range. The checkpoint is read after the
 * objects were listed.
 */
async function unnamed(
  table: Table,
  place: { readonly life: Life; readonly partition: number },
  names: readonly string[],
): Promise<string[]> {
  const checkpoint = await table.checkpoints.load(place.life, place.partition);
  if (checkpoint === undefined) return [];
  const found: string[] = [];
  for (const name of names) {
    const first = firstOf(name);
    if (first === undefined || first >= (checkpoint.archivedTo ?? 0)) continue;
    const segment = await table.segments.loadAtOrBefore(place, first);
    const isNamed = segment?.first === first && objectOf(segment).object === name;
    if (!isNamed) found.push(name);
  }
  return found;
}

const firstOf = (name: string): number | undefined => {
  const [, digits] = /\/(\d{14})-\d{14}-[0-9a-f]{64}\.ndjson\.gz$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
};

import type { Clock } from "../../kernel/clock.ts";
import { streamNotFound } from "../../kernel/error.ts";
import { DAY_MS } from "../../kernel/time.ts";
import { type Archived, earliestOf } from "../../model/archive.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import { beforeLost } from "../../model/restored.ts";
import type { Batch } from "../../table/batch.ts";
import type { Table } from "../../table/table.ts";
import type { Segments } from "../cold/segments.ts";
import { PHYSICAL_SLACK_MS } from "../guard.ts";
import { type Chain, type FoundTime, findTime, searchBatches } from "./seek.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly segments: Segments };

/** A partition that begins at `start`. */
export type WholeChain = Chain & { readonly start: number };

/**
 * The place that a cursor names in a partition without a position: the first event published at
 * `since` or later, or the earliest event. Events from before `keptSince` may have left the log
 * before the cursor was made, so only later ones can be missed.
 */
export type TimePlace = { readonly since?: number; readonly keptSince?: number };

/**
 * A batch is stored for at least this long after its publication, however short its retention is:
 * the clearing of an archived stream removes it after ten days, and DynamoDB after thirty. A day is
 * left for wrong clocks.
 */
const storedMs = ({ archivedTo }: Archived): number =>
  archivedTo === undefined ? PHYSICAL_SLACK_MS - DAY_MS : 9 * DAY_MS;

/**
 * Returns the position of the place that a cursor names in a partition. If the log has lost an
 * event after the place, or cannot rule that out, the position is before the lost event. So every
 * reader is refused there.
 */
export async function placeOfTime(
  deps: Deps,
  chain: WholeChain,
  place: TimePlace,
): Promise<Position> {
  const { since, keptSince = since ?? 0 } = place;
  const found =
    since === undefined
      ? await findEarliest(deps, chain)
      : await findTime(deps, chain, since, hasArchive);
  if (!(await mayHaveLost(deps, chain, found, keptSince))) return edgeAt(found.next);
  return beforeTheLost(deps, chain, found, { since, keptSince });
}

const hasArchive = ({ archivedFrom = 0, archivedTo = 0 }: Archived): boolean =>
  archivedTo > archivedFrom;

async function findEarliest({ table }: Deps, { life, partition }: Chain): Promise<FoundTime> {
  const checkpoint = await table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  const next = earliestOf(checkpoint);
  // An archive that ends before the log starts has nothing of what is lost after it.
  const before = next === checkpoint.floor ? checkpoint.archivedTo : undefined;
  return { next, before, checkpoint };
}

/**
 * Returns whether an event may be lost that precedes `next` and was published at `timeMs` or later.
 * The batch before `next` tells. Rows below the log start stay for weeks, so one that is gone is
 * older than that. This reads nothing where the search has already seen what precedes `next`.
 */
async function mayHaveLost(
  { table, clock }: Deps,
  { life, partition, start }: WholeChain,
  { next, before = start, checkpoint }: FoundTime,
  timeMs: number,
): Promise<boolean> {
  for (let at = next; ; ) {
    at = beforeLost(checkpoint.lost, at);
    if (at <= before) return false;
    const batch = await table.batches.loadAtOrBefore(life, partition, at - 1);
    const isGone = batch === undefined || batch.first + batch.count < at;
    if (isGone && timeMs < clock.now() - storedMs(checkpoint)) return true;
    if (batch === undefined) return false;
    if (batch.kind !== "jump") return batch.publishedAt >= timeMs;
    at = batch.first;
  }
}

/**
 * Returns the place of a time below the log start: exactly where the rows are still there, and
 * otherwise before it, as closely as the list of changes tells.
 */
async function beforeTheLost(
  { table }: Deps,
  { life, partition, start }: WholeChain,
  { next, before = start }: FoundTime,
  { since, keptSince }: { readonly since: number | undefined; readonly keptSince: number },
): Promise<Position> {
  const chunks = (await table.changes.load(life, partition))?.chunks ?? [];
  const passed = (timeMs: number) => chunks.findLast(({ at }) => at < timeMs)?.to ?? start;
  if (passed(keptSince) >= next) return edgeAt(next);
  if (since === undefined) return edgeAt(before);
  const low = Math.max(before, passed(since));
  const isReached = ({ publishedAt }: Batch) => publishedAt >= since;
  const found = await searchBatches(table, { life, partition }, { low, high: next }, isReached);
  return edgeAt(found.before ?? low);
}

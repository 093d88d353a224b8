import type { Clock } from "../kernel/clock.ts";
import { LedgerError, streamNotFound } from "../kernel/error.ts";
import { newUid, type Random } from "../kernel/random.ts";
import { unpackBatch } from "../log/codec.ts";
import { type Change, type ChangeChunk, type ChangeList, changeOf } from "../model/change.ts";
import type { Life } from "../model/names.ts";
import { isLast } from "../table/batch.ts";
import type { Table } from "../table/table.ts";
import { packChanges, unpackChanges } from "./change-pack.ts";
import {
  type ChunkPlan,
  latestChanges,
  planComparison,
  planReplacement,
  splitChanges,
  withoutOld,
} from "./change-plan.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly random: Random };

type Chain = { readonly life: Life; readonly partition: number };

/** Compaction lists the changes of this many events at once, so that few rows are written. */
export const LISTED_AT_ONCE = 4_096;

/** One listing ends at the batch that reaches one of these limits. The next one goes on there. */
const EVENTS_MAX = 100_000;
const CHANGES_MAX = 50_000;
const ROWS = 500;
const TRIES = 12;

/**
 * Extends the list of changes of a partition up to its checkpoint, at least to `until`, and returns
 * the list. Several processes may do so at once: one of them updates the list, and the others begin
 * again. A crash leaves rows that the list does not name. The state of each key is durable before
 * the checkpoint passes its event, so a reader of the list finds it. Throws `stream-busy` when
 * `mayGoOn` returns false too early.
 */
export async function listChanges(
  deps: Deps,
  of: Chain,
  { until, mayGoOn = () => true }: { readonly until: number; readonly mayGoOn?: () => boolean },
): Promise<ChangeList> {
  const { table } = deps;
  for (let lost = 0; ; ) {
    const list = await table.changes.load(of.life, of.partition);
    if (list !== undefined && list.to >= until) return list;
    if (lost >= TRIES || !mayGoOn()) throw listingTakesLong();
    if (!(await extendList(deps, of, list))) lost++;
  }
}

const listingTakesLong = (): LedgerError =>
  new LedgerError("stream-busy", {
    detail: "The changes of the stream are still being listed. Try again.",
    retryAfterSeconds: 1,
  });

/** Lists the next events. Returns false when another process has updated the list meanwhile. */
async function extendList(
  deps: Deps,
  { life, partition }: Chain,
  before: ChangeList | undefined,
): Promise<boolean> {
  const { table, clock, random } = deps;
  const checkpoint = await table.checkpoints.load(life, partition);
  if (checkpoint === undefined) throw streamNotFound();
  const { floor, next } = checkpoint;
  const begun = before ?? { from: floor, to: floor, chunks: [], revision: "" };
  const read = await readChanges(table, { life, partition }, begun.to, next);
  const put: string[] = [];
  const write = async ({ changes, to }: ChunkPlan, run: Run) => {
    const id = newUid(random);
    put.push(id);
    await table.changes.put(life, partition, { id, ...packChanges(changes) });
    return { id, to, count: changes.length, ...run };
  };
  let list: ChangeList;
  if (read.hasGap) {
    // Events were removed unlisted, by an earlier version or because numbers were skipped.
    list = { from: next, to: next, chunks: [], revision: newUid(random) };
  } else {
    const chunks = [...begun.chunks];
    const plans = read.changes.length === 0 ? [] : splitChanges(read.changes, read.to);
    const run = { level: 0, run: read.to, at: read.at };
    for (const plan of plans) chunks.push(await write(plan, run));
    const { from } = begun;
    const compared = await compareChunks({ table, write }, { life, partition }, { from, chunks });
    if (compared === undefined) {
      await table.changes.removeChunks(life, partition, put);
      return false;
    }
    const whole = { from, to: read.to, chunks: compared, revision: newUid(random) };
    list = withoutOld(whole, clock.now());
  }
  const isSaved = await table.changes.save(life, partition, list, before?.revision);
  // If the answer to the update was lost, another process may have gone on with the updated list.
  const present = isSaved ? list : await table.changes.load(life, partition);
  const kept = new Set(present?.chunks.map(({ id }) => id));
  const own = isSaved ? [...begun.chunks.map(({ id }) => id), ...put] : put;
  const gone = own.filter((id) => !kept.has(id));
  await table.changes.removeChunks(life, partition, gone);
  return isSaved;
}

type Read = {
  readonly changes: readonly Change[];
  readonly to: number;
  /** The publication time of the last event. */
  readonly at: number;
  /** True if the log does not go on at the place where the list ends. */
  readonly hasGap: boolean;
};

/** Reads the changes of the next batches from `from` on, all of them below `next`. */
async function readChanges(
  table: Table,
  { life, partition }: Chain,
  from: number,
  next: number,
): Promise<Read> {
  const latest = new Map<string, Change>();
  let to = from;
  let at = 0;
  let hasGap = false;
  let isFull = false;
  for (let more = true; more && to < next && !hasGap && !isFull; ) {
    const page = await table.batches.loadFrom(life, partition, to, ROWS);
    more = page.more;
    for (const batch of page.batches) {
      if (to >= next || isFull) break;
      hasGap = batch.first !== to || isLast(batch);
      if (hasGap) break;
      for (const event of unpackBatch(batch)) {
        latest.delete(event.key);
        latest.set(event.key, changeOf(event));
      }
      to += batch.count;
      at = batch.publishedAt;
      isFull = to - from >= EVENTS_MAX || latest.size >= CHANGES_MAX;
    }
  }
  return { changes: [...latest.values()], to, at, hasGap: hasGap || (to < next && !isFull) };
}

type Run = Pick<ChangeChunk, "level" | "run" | "at">;

type Write = (plan: ChunkPlan, run: Run) => Promise<ChangeChunk>;

/**
 * Compares parts at the end of the list as long as a plan says so. Undefined when a part is gone,
 * because another process has updated the list.
 */
async function compareChunks(
  { table, write }: { readonly table: Table; readonly write: Write },
  { life, partition }: Chain,
  { from, chunks }: Pick<ChangeList, "from" | "chunks">,
): Promise<readonly ChangeChunk[] | undefined> {
  let present = chunks;
  for (;;) {
    const plan = planComparison({ from, chunks: present });
    if (plan === undefined) return present;
    const { chunks: group } = plan;
    const others = present.slice(0, present.length - group.length);
    const ids = group.map(({ id }) => id);
    const rows = await table.changes.loadChunks(life, partition, ids);
    const found = rows.flatMap((row) => (row === undefined ? [] : [unpackChanges(row)]));
    const last = group.at(-1);
    if (found.length < group.length || last === undefined) return undefined;
    const { plans, level } = planReplacement(found, { to: last.to, level: plan.level });
    const run = { level, run: last.to, at: last.at };
    const compared =
      plans === undefined
        ? group.map((chunk) => ({ ...chunk, level, run: last.to }))
        : await writeAll(write, plans, run);
    present = [...others, ...compared];
  }
}

async function writeAll(
  write: Write,
  plans: readonly ChunkPlan[],
  run: Run,
): Promise<ChangeChunk[]> {
  const chunks: ChangeChunk[] = [];
  for (const plan of plans) chunks.push(await write(plan, run));
  return chunks;
}

/**
 * Returns the changes of a range of a list, the last one of each key, in the order of sequences.
 * They end at `to`, which is below the range's end if there are more than `most`. A change that is
 * superseded between there and the range's end is left out, too. Undefined when a part is gone,
 * because the list was updated.
 */
export async function loadChanges(
  table: Table,
  { life, partition }: Chain,
  { chunks, from: begin }: ChangeList,
  { from, until, most }: { readonly from: number; readonly until: number; readonly most: number },
): Promise<{ readonly changes: readonly Change[]; readonly to: number } | undefined> {
  const inRange = chunks.filter(({ to }, at) => to > from && (chunks[at - 1]?.to ?? begin) < until);
  const counts = inRange.map((_, at) => sumOf(inRange.slice(0, at)));
  const cut = counts.findIndex((count) => count >= most);
  const wanted = cut === -1 ? inRange : inRange.slice(0, cut);
  const rows = await table.changes.loadChunks(life, partition, idsOf(wanted));
  const found = rows.flatMap((row) => (row === undefined ? [] : unpackChanges(row)));
  if (rows.includes(undefined)) return undefined;
  const latest = new Map(
    latestChanges(found.filter(({ sequence }) => sequence >= from && sequence < until)).map(
      (change) => [change.key, change],
    ),
  );
  for (const later of inRange.slice(wanted.length)) {
    const [row] = await table.changes.loadChunks(life, partition, [later.id]);
    if (row === undefined) return undefined;
    for (const { key } of unpackChanges(row)) latest.delete(key);
  }
  const isWhole = wanted.length === inRange.length;
  const to = isWhole ? until : (wanted.at(-1)?.to ?? until);
  return { changes: [...latest.values()], to };
}

const idsOf = (chunks: readonly ChangeChunk[]): string[] => chunks.map(({ id }) => id);

const sumOf = (chunks: readonly ChangeChunk[]): number =>
  chunks.reduce((sum, { count }) => sum + count, 0);

import { LIMITS } from "@eventledger/protocol";
import { ageMs, type Clock, type Stamp, takeStamp } from "../../kernel/clock.ts";
import { streamNotFound } from "../../kernel/error.ts";
import { assertInvariant } from "../../kernel/invariant.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import { chainIn, type Epoch, epochAt, epochsOf, type Partitioned } from "../../model/epochs.ts";
import { isTombstone, type RawJson } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import { bucketOf } from "../../model/partition.ts";
import { isEntered } from "../../model/restored.ts";
import { type Batch, isLast } from "../../table/batch.ts";
import type { Checkpoint } from "../../table/checkpoint.entity.ts";
import type { Table } from "../../table/table.ts";
import { unpackBatch } from "../codec.ts";
import { type AppendPlan, type AppendRequest, writtenBy } from "./append-plan.ts";
import { compactionLagging, type LastEvent, NO_EVENT } from "./expectation-plan.ts";

/**
 * The known last events of keys in one partition. A key in `latest` has its last event below `upto`
 * there. Any other key has no event from where the memory begins to `upto`. Its row in the
 * compacted state is current, because all events before are compacted.
 */
type Tail = {
  /** Where the memory begins: the watermark of compaction when it was read. */
  readonly begun: Pick<Checkpoint, "next" | "lost">;
  upto: number;
  /** When this process last saw that the chain continues at `upto`, or caused it. */
  stamp: Stamp;
  readonly latest: Map<string, LastEvent>;
};

const MEMORY_MS = MINUTE_MS;
const KEYS_MAX = 50_000;
const TAILS_MAX = 1_000;
const ROWS = 256;
const ROWS_AT_ONCE = 16;

/**
 * Finds the last events of keys at the end of a partition, from the compacted state and the log
 * after its watermark. It remembers its reads for a minute, and learns what this process appends.
 * So a process that keeps writing a key reads nothing. It reads at most `uncompactedEventsMax`
 * events and `uncompactedBytesMax` bytes of the log, and throws `compaction-lagging` above that.
 */
export function createLastEvents({ table, clock }: { table: Table; clock: Clock }) {
  const tails = new Map<string, Tail>();
  const nameOf = (life: Life, partition: number) => `${life}#${partition}`;

  /**
   * Returns the last events of `keys` below `end`. Undefined when the chain has grown past `end` in
   * the meantime. Until compaction enters the epoch of the partition, the ends of the partitions of
   * earlier epochs count too. Throws `compaction-lagging`, `stream-not-found`,
   * `store-unavailable`.
   */
  async function load(
    life: Life,
    partition: number,
    keys: ReadonlySet<string>,
    end: number,
    view: Partitioned = { partitions: partition + 1 },
  ): Promise<ReadonlyMap<string, LastEvent> | undefined> {
    const tail = await readTail(life, partition, end);
    const { latest } = tail;
    const epoch = epochAt(view, partition);
    const earlier = epochsOf(view).filter(({ first }) => first < epoch.first);
    if (!isEntered(tail.begun, epoch.from))
      await readEarlier(life, earlier.toReversed(), keys, latest);
    const unknown = [...keys].filter((key) => !latest.has(key));
    for (let at = 0; at < unknown.length; at += ROWS_AT_ONCE) {
      const wave = unknown.slice(at, at + ROWS_AT_ONCE);
      const rows = await Promise.all(
        wave.map((key) => table.compacted.loadLast(life, bucketOf(key), key)),
      );
      for (const [index, key] of wave.entries()) note(latest, key, rows[index] ?? NO_EVENT);
    }
    const found = new Map([...keys].map((key) => [key, latest.get(key) ?? NO_EVENT]));
    trim();
    return [...found.values()].some(({ sequence }) => sequence >= end) ? undefined : found;
  }

  /**
   * Notes the last events of keys in the partitions of earlier epochs, the latest one first. Where
   * compaction has entered a partition, it has ended all earlier epochs, so the search ends there.
   */
  async function readEarlier(
    life: Life,
    epochs: readonly Epoch[],
    keys: ReadonlySet<string>,
    latest: Tail["latest"],
  ): Promise<void> {
    for (const key of keys) {
      for (const epoch of latest.has(key) ? [] : epochs) {
        const chain = chainIn(key, epoch);
        const tail = await readTail(life, chain, epoch.ends?.[chain - epoch.first] ?? epoch.from);
        const last = tail.latest.get(key);
        if (last !== undefined) note(latest, key, last);
        if (last !== undefined || isEntered(tail.begun, epoch.from)) break;
      }
    }
  }

  /** Returns the memory of a partition after reading up to `end`. */
  async function readTail(life: Life, partition: number, end: number): Promise<Tail> {
    const name = nameOf(life, partition);
    const known = tails.get(name);
    const usable =
      known !== undefined &&
      ageMs(clock, known.stamp) < MEMORY_MS &&
      end - known.upto <= LIMITS.uncompactedEventsMax;
    const tail = usable ? known : await beginTail(life, partition);
    tails.delete(name);
    tails.set(name, tail);
    if (end - tail.upto > LIMITS.uncompactedEventsMax) {
      throw compactionLagging({
        uncompactedEvents: end - tail.upto,
        uncompactedEventsMax: LIMITS.uncompactedEventsMax,
      });
    }
    let bytes = 0;
    while (tail.upto < end) {
      const stamp = takeStamp(clock);
      const from = tail.upto;
      const { batches } = await table.batches.loadFrom(life, partition, from, ROWS);
      for (const batch of batches) {
        if (batch.first !== tail.upto || isLast(batch)) break;
        learnBatch(tail, batch);
        bytes += batch.rawBytes;
      }
      tail.stamp = stamp;
      // Every event below the end was durable before this read, and is kept for long after it.
      assertInvariant(tail.upto > from, `nothing is missing at ${from} of ${life}`);
      if (bytes > LIMITS.uncompactedBytesMax && tail.upto < end) {
        throw compactionLagging({ uncompactedBytesMax: LIMITS.uncompactedBytesMax });
      }
    }
    return tail;
  }

  /**
   * Starts at the watermark. All earlier events are in the compacted state before the watermark
   * moves past them.
   */
  async function beginTail(life: Life, partition: number): Promise<Tail> {
    const stamp = takeStamp(clock);
    const checkpoint = await table.checkpoints.load(life, partition);
    if (checkpoint === undefined) throw streamNotFound();
    return { begun: checkpoint, upto: checkpoint.next, stamp, latest: new Map() };
  }

  function learnBatch(tail: Tail, batch: Batch): void {
    for (const event of unpackBatch(batch)) learnEvent(tail, event.sequence, event);
    tail.upto = Math.max(tail.upto, batch.first + batch.count);
  }

  function learnEvent(tail: Tail, sequence: number, event: { key: string; data: RawJson }): void {
    note(tail.latest, event.key, { sequence, deleted: isTombstone(event) });
  }

  /** Records that this process has appended the events of these requests. */
  function written(plan: AppendPlan, requests: readonly AppendRequest[], stamp: Stamp): void {
    if (tails.size === 0) return;
    for (const { partition, first, drafts } of writtenBy(plan, requests)) {
      const tail = tails.get(nameOf(plan.append.life, partition));
      if (tail === undefined || tail.upto !== first) continue;
      for (const [index, draft] of drafts.entries()) learnEvent(tail, first + index, draft);
      tail.upto = first + drafts.length;
      tail.stamp = stamp;
    }
    trim();
  }

  /** Forgets the partitions that have been unused for longest, one after the other. */
  function trim(): void {
    let keys = 0;
    for (const { latest } of tails.values()) keys += latest.size;
    for (const [name, { latest }] of tails) {
      if (keys <= KEYS_MAX && tails.size <= TAILS_MAX) return;
      keys -= latest.size;
      tails.delete(name);
    }
  }

  /** Discards everything that is remembered of a partition. */
  const forget = (life: Life, partition: number): void => {
    tails.delete(nameOf(life, partition));
  };

  return { load, written, forget };
}

export type LastEvents = ReturnType<typeof createLastEvents>;

/** Keeps the later of two events of a key, in whatever order they arrive. */
function note(latest: Map<string, LastEvent>, key: string, last: LastEvent): void {
  const known = latest.get(key);
  if (known === undefined || known.sequence <= last.sequence) latest.set(key, last);
}

import type { Tier } from "@eventledger/protocol";
import { LedgerError } from "../../kernel/error.ts";
import { assertInvariant } from "../../kernel/invariant.ts";
import { isArchived } from "../../model/archive.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { Life } from "../../model/names.ts";
import { edgeAt, type Position } from "../../model/position.ts";
import { lostUntil } from "../../model/restored.ts";
import { unpackBatch } from "../codec.ts";
import { type ColdChain, readCold } from "../cold/cold-read.ts";
import type { Segments } from "../cold/segments.ts";
import { retentionPassed } from "./reach.ts";
import { boundOf } from "./read-plan.ts";
import type { ReadDeps } from "./read-run.ts";

/** The address of one event, and further conditions on it. */
export type Address = {
  readonly partition: number;
  readonly sequence: number;
  readonly matches: ((event: StoredEvent) => boolean) | undefined;
};

/**
 * Returns one event by its address, the position after it, and where it is stored. Throws
 * `event-not-found`, or `retention-passed` for an expired event.
 */
export async function loadEvent(
  { table, checkpoints, segments }: ReadDeps,
  life: Life,
  { partition, sequence, matches }: Address,
): Promise<{ event: StoredEvent; after: Position; tier: Tier }> {
  const checkpoint = await checkpoints.recall(life, partition);
  if (sequence < checkpoint.floor) {
    if (!isArchived(checkpoint, sequence)) throw retentionPassed(checkpoint);
    const chain = { ...checkpoint, life, partition };
    const event = await findCold(segments, chain, sequence);
    if (event === undefined || !(matches?.(event) ?? true)) throw notFound(event);
    return { event, after: edgeAt(sequence + 1), tier: "cold" };
  }
  const batch = await table.batches.loadAtOrBefore(life, partition, sequence);
  const isIn = batch !== undefined && sequence < batch.first + batch.count;
  const event = isIn ? unpackBatch(batch)[sequence - batch.first] : undefined;
  if (isIn && event !== undefined && (matches === undefined || matches(event))) {
    return { event, after: { batch: batch.first, next: sequence + 1 }, tier: "hot" };
  }
  if (isIn && batch.kind === "jump") throw lost();
  throw notFound(event);
}

/** Returns an event below the floor. Throws when a restore has lost it. */
async function findCold(
  segments: Segments,
  chain: ColdChain,
  sequence: number,
): Promise<StoredEvent | undefined> {
  if (lostUntil(chain.lost, sequence) !== sequence) throw lost();
  const room = { events: 1, bytes: Number.MAX_SAFE_INTEGER };
  const { events, stop } = await readCold(segments, chain, sequence, { room, bound: UNBOUND });
  assertInvariant(stop !== "missing", `the archive of ${chain.life} has ${sequence}`);
  return events[0];
}

const UNBOUND = boundOf(undefined, 0);

const lost = (): LedgerError =>
  new LedgerError("event-not-found", {
    detail: "A restore of the table has lost the event of this sequence, if there was one.",
  });

const notFound = (event: StoredEvent | undefined): LedgerError =>
  new LedgerError("event-not-found", {
    detail:
      event === undefined
        ? "No event has this sequence yet."
        : "The event of this sequence has another key, or another condition of the request excludes it.",
  });

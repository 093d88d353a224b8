import { DAY_MS, HOUR_MS } from "../../kernel/time.ts";
import { CLOCKS_APART_MS } from "../../model/sightings.ts";
import type { Batch, ClaimedRun } from "../../table/batch.ts";
import type { Claim, Receipt, ReceiptRow } from "../../table/receipt.entity.ts";

type Keyed = {
  readonly drafts: readonly unknown[];
  readonly partitions: readonly number[];
  readonly bytes: number;
  readonly expected?: readonly unknown[];
  readonly idempotency?: { readonly key: string; readonly requestHash: string };
};

/** Events within these limits fit into one batch, however badly they compress. */
export const ONE_BATCH = { bytesMax: 300 * 1024, eventsMax: 1_000 } as const;

export type ClaimRow = ReceiptRow & Claim;

/** A claim, with the knowledge of the process that wants to settle it. */
export type Held = {
  readonly row: ClaimRow;
  /**
   * No batch that begins below this sequence settles the claim. All of those batches are written,
   * so none ever will.
   */
  readonly examinedTo: number;
};

export const isClaim = (row: ReceiptRow): row is ClaimRow =>
  row.claimId !== undefined && row.parts.length === 0;

/**
 * Whether a claim and one put of its batch settle a request with an idempotency key. A request that
 * needs several items uses a transaction with its receipt instead. So does one that expects
 * something of a key, because a claim would reserve its idempotency key even if the request is
 * refused.
 */
export const isClaimed = ({ idempotency, expected, drafts, partitions, bytes }: Keyed): boolean =>
  idempotency !== undefined &&
  expected === undefined &&
  partitions.length === 1 &&
  bytes <= ONE_BATCH.bytesMax &&
  drafts.length <= ONE_BATCH.eventsMax;

/** The promised window, and the same time again for a process that settles a claim late in it. */
const CLAIM_MS = 48 * HOUR_MS;
/** The minimum remaining life of a claim when its events are written: the window and clock skew. */
const LEFT_MIN_MS = DAY_MS + CLOCKS_APART_MS;
/**
 * A claim is void this long after its expiry. Batches stay stored for longer than the age that a
 * claim reaches by then, so a search of the chain finds every batch that could settle it.
 */
const VOID_AFTER_MS = 7 * DAY_MS;

export const claimExpiry = (nowMs: number): number => Math.ceil((nowMs + CLAIM_MS) / 1_000);

/** Whether a claim expires so soon that it must be renewed before its events are written. */
export const endsSoon = ({ expiresAt }: ClaimRow, nowMs: number): boolean =>
  expiresAt * 1_000 - nowMs < LEFT_MIN_MS;

export const isVoid = ({ expiresAt }: ClaimRow, nowMs: number): boolean =>
  nowMs - expiresAt * 1_000 > VOID_AFTER_MS;

/** Returns the place of each claimed request's events in their common batch. */
export function claimedRuns(
  requests: readonly Keyed[],
  claims: readonly (Claim | undefined)[],
): ClaimedRun[] {
  let next = 0;
  return requests.flatMap(({ drafts }, index): ClaimedRun[] => {
    const at = next;
    const count = drafts.length;
    next += count;
    const claim = claims[index];
    return claim === undefined ? [] : [[claim.claimId, at, count]];
  });
}

/** Returns the outcome of a claim in a batch. Undefined when the batch does not settle it. */
export function readClaim(
  partition: number,
  { first, batchId, publishedAt, claims = [] }: Batch,
  claimId: Uint8Array,
): Receipt | undefined {
  const run = claims.find(([id]) => Buffer.compare(id, claimId) === 0);
  if (run === undefined) return undefined;
  const [, at, count] = run;
  return {
    parts: [{ partition, first: first + at, count, batchFirst: first, batchId }],
    publishedAt,
  };
}

/** The first page finds a recent receipt. A process that was away for long reads larger pages. */
const ROWS = [2, 32, 512] as const;

/** Returns how many batches the given page of a search for a claim asks for. */
export const rowsOfPage = (page: number): number => ROWS[Math.min(page, ROWS.length - 1)] ?? 1;

/** Returns where the next page begins, after the last batch of one that began at `at`. */
export const endAfter = (last: Batch | undefined, at: number): number =>
  last === undefined ? at : last.first + Math.max(1, last.count);

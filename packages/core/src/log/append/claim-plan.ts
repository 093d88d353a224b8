import { DAY_MS, HOUR_MS } from "../../kernel/time.ts";
import { CLOCKS_APART_MS } from "../../model/sightings.ts";
import type { Batch, ClaimedRun } from "../../table/batch.entity.ts";
import type { Claim, Receipt, ReceiptRow } from "../../table/receipt.entity.ts";

type Keyed = {
  readonly lanes: readonly { readonly events: readonly unknown[] }[];
  readonly bytes: number;
  readonly expected?: readonly unknown[];
  readonly idempotency?: { readonly key: string; readonly requestHash: string };
};

/** What is one batch whatever it compresses to. */
export const ONE_BATCH = { bytesMax: 300 * 1024, eventsMax: 1_000 } as const;

export type ClaimRow = ReceiptRow & Claim;

/** A claim as the process that wants to settle it knows it. */
export type Held = {
  readonly row: ClaimRow;
  /** No batch that begins below this settles it; all of them are written, so none ever will. */
  readonly examinedTo: number;
};

export const isClaim = (row: ReceiptRow): row is ClaimRow =>
  row.claimId !== undefined && row.parts.length === 0;

/**
 * Whether a request with an idempotency key is settled by a claim and one put of its batch. One
 * that needs several items is a transaction with its receipt instead; so is one that expects
 * something of a key, because a claim would hold its idempotency key for it although it is refused.
 */
export const isClaimed = ({ idempotency, expected, lanes, bytes }: Keyed): boolean =>
  idempotency !== undefined &&
  expected === undefined &&
  lanes.length === 1 &&
  bytes <= ONE_BATCH.bytesMax &&
  (lanes[0]?.events.length ?? 0) <= ONE_BATCH.eventsMax;

/** The promised window, and as much again for those who settle a claim late in it. */
const CLAIM_MS = 48 * HOUR_MS;
/** What must be left of a claim when its events are written: the window, and clocks that differ. */
const LEFT_MIN_MS = DAY_MS + CLOCKS_APART_MS;
/**
 * A claim that should be gone for so long is void. Batches stay stored for longer than it can get
 * old until then, so whatever its chain is searched for is there or never was.
 */
const VOID_AFTER_MS = 7 * DAY_MS;

export const claimExpiry = (nowMs: number): number => Math.ceil((nowMs + CLAIM_MS) / 1_000);

/** Whether a claim ends so soon that it has to be renewed before its events are written. */
export const endsSoon = ({ expiresAt }: ClaimRow, nowMs: number): boolean =>
  expiresAt * 1_000 - nowMs < LEFT_MIN_MS;

export const isVoid = ({ expiresAt }: ClaimRow, nowMs: number): boolean =>
  nowMs - expiresAt * 1_000 > VOID_AFTER_MS;

/** Where the events of each request with a claim are in the batch that they all go into. */
export function claimedRuns(
  requests: readonly Keyed[],
  claims: readonly (Claim | undefined)[],
): ClaimedRun[] {
  let next = 0;
  return requests.flatMap(({ lanes }, index): ClaimedRun[] => {
    const at = next;
    const count = lanes[0]?.events.length ?? 0;
    next += count;
    const claim = claims[index];
    return claim === undefined ? [] : [[claim.claimId, at, count]];
  });
}

/** What a batch achieved for a claim; undefined when it does not settle it. */
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

import type { Append, Obstacles, PutReceipt } from "../../table/append-rows.ts";
import { type Batch, type ClaimedRun, lasting } from "../../table/batch.ts";
import type { Receipt, ReceiptPart, ReceiptRow } from "../../table/receipt.entity.ts";
import type { BatchEntry, Packed } from "../codec.ts";
import type { End } from "../end.ts";
import { type ClaimRow, claimedRuns, readClaim } from "./claim-plan.ts";
import type { Expectation } from "./expectation-plan.ts";
import { servedWith, type Ticket } from "./ticket-plan.ts";

/**
 * An event on its way into a partition. `id` is from its publisher. `bytes` is its size in a batch
 * before compression.
 */
export type Draft = BatchEntry & {
  readonly partition: number;
  readonly key: string;
  readonly id: string | undefined;
  readonly bytes: number;
};

/** The events that a request appends, in its order, and their partitions in ascending order. */
export type AppendRequest = {
  readonly drafts: readonly Draft[];
  readonly partitions: readonly number[];
  readonly bytes: number;
  /** The expected last events of some of its keys. Each key occurs once. */
  readonly expected?: readonly Expectation[];
  readonly idempotency?: { readonly key: string; readonly requestHash: string };
};

/** The packed events of a group for one partition: the content of its batches without numbers. */
export type PackedPartition = {
  readonly partition: number;
  readonly chunks: readonly (Packed & { readonly count: number })[];
};

/** A group that is numbered from the ends of its chains. `receipts[i]` belongs to `requests[i]`. */
export type AppendPlan = {
  readonly append: Append;
  readonly receipts: readonly Receipt[];
  /** The ends of the chains after this append is written, by partition. */
  readonly ends: ReadonlyMap<number, Omit<End, "stamp">>;
  /** The claims that this append settles. */
  readonly claims: readonly ClaimRow[];
};

export type PlanInput = {
  readonly life: Append["life"];
  readonly requests: readonly AppendRequest[];
  readonly packed: readonly PackedPartition[];
  /** The ends of all these partitions. */
  readonly ends: ReadonlyMap<number, End>;
  readonly nowMs: number;
  readonly keepMs: number;
  /** Whether the stream is archived. DynamoDB then removes none of its batches by itself. */
  readonly archived: boolean;
  readonly receiptExpiresAt: number;
  /** The tickets of the append, by partition. */
  readonly tickets?: ReadonlyMap<number, Ticket>;
  readonly newBatchId: () => Uint8Array;
  /** For each request, the claim that settles its idempotency key, if there is one. */
  readonly claims: readonly (ClaimRow | undefined)[];
  /** For each request, the claim that its receipt takes the place of. */
  readonly replaced?: readonly (Uint8Array | undefined)[] | undefined;
};

/** Numbers a packed group from the ends of its chains. Times never decrease along a chain. */
export function planAppend(input: PlanInput): AppendPlan {
  const laid = input.packed.map((packed) => numberBatches(packed, input));
  const batches = withClaims(
    laid.flatMap(({ partition, batches: of }) => of.map((batch) => ({ partition, batch }))),
    claimedRuns(input.requests, input.claims),
  );
  const ends = new Map(laid.map(({ partition, end }) => [partition, end]));
  const publishedAt = Math.max(...laid.map(({ end }) => end.publishedAt));
  const runs = new Map(laid.map((of) => [of.partition, runCutter(of.batches)]));
  const receipts = input.requests.map((request) => ({
    parts: request.partitions.flatMap((partition) => {
      const { length } = draftsIn(request, partition);
      return (runs.get(partition)?.(length) ?? []).map((part) => ({ partition, ...part }));
    }),
    publishedAt,
  }));
  const rows = input.requests.flatMap(({ idempotency }, index): PutReceipt[] => {
    const receipt = receipts[index];
    if (idempotency === undefined || receipt === undefined) return [];
    if (input.claims[index] !== undefined) return [];
    const replaces = input.replaced?.[index];
    const over = replaces === undefined ? {} : { replaces };
    return [{ ...idempotency, ...receipt, ...over, expiresAt: input.receiptExpiresAt }];
  });
  const claims = input.claims.filter((claim) => claim !== undefined);
  const token = Buffer.from(batches[0]?.batch.batchId ?? new Uint8Array()).toString("hex");
  return { append: { life: input.life, batches, receipts: rows, token }, receipts, ends, claims };
}

/** Returns the one batch of requests with claims. The batch names the claims. */
function withClaims(batches: Append["batches"], claims: readonly ClaimedRun[]): Append["batches"] {
  if (claims.length === 0) return batches;
  const [only, ...others] = batches;
  if (only === undefined || others.length > 0) throw new RangeError("A claim needs one batch");
  return [{ ...only, batch: { ...only.batch, claims } }];
}

/** Returns the events that a plan puts into each partition, with the first sequence in each. */
export function writtenBy({ append }: AppendPlan, requests: readonly AppendRequest[]) {
  const firsts = new Map<number, number>();
  for (const { partition, batch } of append.batches) {
    firsts.set(partition, Math.min(batch.first, firsts.get(partition) ?? Infinity));
  }
  return Array.from(firsts, ([partition, first]) => ({
    partition,
    first,
    drafts: requests.flatMap((request) => draftsIn(request, partition)),
  }));
}

/** Returns the drafts of one partition, in the order of the request. */
export const draftsIn = ({ drafts }: Pick<AppendRequest, "drafts">, of: number): readonly Draft[] =>
  drafts.filter(({ partition }) => partition === of);

function numberBatches(
  { partition, chunks }: PackedPartition,
  { ends, nowMs, keepMs, archived, tickets, newBatchId }: PlanInput,
) {
  const end = ends.get(partition);
  if (end === undefined) throw new RangeError(`The end of partition ${partition} is unknown`);
  const publishedAt = Math.max(nowMs, end.publishedAt);
  const expiresAt = Math.max(Math.ceil((publishedAt + keepMs) / 1_000), end.expiresAt);
  const served = servedWith(tickets?.get(partition), end, nowMs);
  let next = end.next;
  const batches = chunks.map(({ count, payload, rawBytes }): Batch => {
    const first = next;
    next += count;
    const batch = { first, count, batchId: newBatchId(), publishedAt, rawBytes, payload };
    return { ...batch, ...served, ...lasting(expiresAt, { archived }) };
  });
  return { partition, batches, end: { next, publishedAt, expiresAt, ...served } };
}

/**
 * Cuts the events of consecutive batches into runs: `cut(n)` returns the place of the next n
 * events.
 */
function runCutter(batches: readonly Batch[]) {
  let index = 0;
  let used = 0;
  return (count: number): Omit<ReceiptPart, "partition">[] => {
    const parts: Omit<ReceiptPart, "partition">[] = [];
    for (let left = count; left > 0; ) {
      const batch = batches[index];
      if (batch === undefined)
        throw new RangeError("The batches hold fewer events than were requested");
      const taken = Math.min(left, batch.count - used);
      const first = batch.first + used;
      parts.push({ first, count: taken, batchFirst: batch.first, batchId: batch.batchId });
      left -= taken;
      used += taken;
      if (used === batch.count) {
        index++;
        used = 0;
      }
    }
    return parts;
  };
}

/** The meaning of a cancelled append for its requests. */
export type CancelReading =
  | { readonly kind: "landed" }
  /**
   * An earlier append settled these requests, listed by idempotency key. The others may continue.
   */
  | { readonly kind: "settled"; readonly rows: ReadonlyMap<string, ReceiptRow> }
  | { readonly kind: "sealed" }
  /** The stream continues in other partitions. */
  | { readonly kind: "turned" }
  | { readonly kind: "lost" };

/**
 * Reads the items that cancelled an append. An item with a batch id of this plan belongs to an
 * earlier copy of this plan whose answer was lost. An append is all or nothing, so all of that copy
 * has landed. The verdict of an idempotency key has priority over the verdict of the chain: the
 * holder of the key has settled the request, and so has a batch in the chain that names its claim.
 */
export function readCancelled({ append, claims }: AppendPlan, found: Obstacles): CancelReading {
  const own = new Set(append.batches.map(({ batch }) => hex(batch.batchId)));
  const mine =
    found.batches.some((batch) => batch !== undefined && own.has(hex(batch.batchId))) ||
    found.receipts.some((row) => row?.parts.some((part) => own.has(hex(part.batchId))));
  if (mine) return { kind: "landed" };
  const rows = [
    ...found.receipts.flatMap((row) => row ?? []),
    ...claims.flatMap((claim) => settledBy(claim, append, found)),
  ];
  if (rows.length > 0) return { kind: "settled", rows: new Map(rows.map((row) => [row.key, row])) };
  const kinds = found.batches.map((batch) => batch?.kind);
  if (kinds.includes("seal")) return { kind: "sealed" };
  return { kind: kinds.includes("turn") ? "turned" : "lost" };
}

/**
 * Returns the receipt of a claim when a different batch occupies this plan's place and settles the
 * claim.
 */
const settledBy = (claim: ClaimRow, { batches }: Append, found: Obstacles): ReceiptRow[] =>
  batches.flatMap(({ partition }, index) => {
    const batch = found.batches[index];
    const receipt = batch && readClaim(partition, batch, claim.claimId);
    return receipt === undefined ? [] : [{ ...claim, ...receipt }];
  });

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

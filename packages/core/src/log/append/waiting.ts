import type { Stamp } from "../../kernel/clock.ts";
import type { LedgerError } from "../../kernel/error.ts";
import { chainCount, type Partitioned } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import type { Receipt, ReceiptRow } from "../../table/receipt.entity.ts";
import { keyReused, outcomeUnknown } from "./append-error.ts";
import type { AppendRequest } from "./append-plan.ts";
import { isClaim } from "./claim-plan.ts";

/** A live stream with the fields that the log needs, as read at `stamp`. */
export type AppendTarget = Partitioned & {
  readonly life: Life;
  /** Set while the stream turns to its next epoch. Nothing is then written to the last one. */
  readonly growing?: number | undefined;
  readonly retentionHours: number;
  /** Null or absent: the stream is not archived. */
  readonly archiveDays?: number | null;
  readonly stamp: Stamp;
};

/**
 * The places of the events, and whether an earlier request with the same key had put them there.
 */
export type Appended = { readonly receipt: Receipt; readonly replayed: boolean };

/** A request without an answer so far. */
export type Waiting = {
  readonly request: AppendRequest;
  readonly target: AppendTarget;
  readonly arrivedAt: number;
  readonly deadline: number;
  settled: boolean;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
};

/** Returns the view of the stream that knows the most epochs. */
export const latestView = (group: readonly { readonly target?: Partitioned }[]): Partitioned =>
  group.reduce<Partitioned>(
    (latest, { target = latest }) => (chainCount(target) > chainCount(latest) ? target : latest),
    { partitions: 1 },
  );

export const requestsOf = (group: readonly Waiting[]): AppendRequest[] =>
  group.map(({ request }) => request);

export const partitionsOf = (group: readonly Waiting[]): Set<number> =>
  new Set(group.flatMap(({ request }) => request.partitions));

/** Settles the requests whose deadline has passed, and returns the others. */
export function expire(
  live: readonly Waiting[],
  nowMonotonicMs: number,
  error: () => LedgerError,
): Waiting[] {
  for (const item of live) {
    if (item.deadline <= nowMonotonicMs) settle(item, () => item.reject(error()));
  }
  return live.filter(({ settled }) => !settled);
}

export function settle(item: Waiting, tell: () => void): void {
  if (item.settled) return;
  item.settled = true;
  tell();
}

export function settleByReceipt(item: Waiting, row: ReceiptRow | undefined): void {
  const { idempotency } = item.request;
  if (idempotency === undefined || row === undefined) return;
  if (row.requestHash !== idempotency.requestHash) {
    settle(item, () => item.reject(keyReused()));
    return;
  }
  if (isClaim(row)) {
    // The request was one batch when its key was claimed, and now it needs several.
    settle(item, () => item.reject(outcomeUnknown(new Error("claimed as one batch"))));
    return;
  }
  settle(item, () => item.resolve({ receipt: row, replayed: true }));
}

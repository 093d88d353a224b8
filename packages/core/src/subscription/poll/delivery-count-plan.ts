import type { Delivered } from "../../model/parking.ts";
import type { Delivery, OffsetRow } from "../../table/subscription.entity.ts";

/** What counting decides about, of a partition. */
export type DeliveryRow = Pick<OffsetRow, "partition" | "next" | "delivery">;

/**
 * How many events a page may hold. Which event of a page makes its consumer fail is not known; so
 * each time the same place is delivered again the page is half as large, down to the one event, and
 * stays so until the place is passed up to which the suspicion reaches. Pure.
 */
export function planLimit(rows: readonly DeliveryRow[], limit: number): number {
  return Math.min(limit, ...rows.map((row) => (isSuspected(row) ? narrowed(row, limit) : limit)));
}

/**
 * The partition whose next event was delivered `deliveriesMax` times without being committed, at
 * the end all alone. Pure.
 */
export const planPoison = (
  rows: readonly DeliveryRow[],
  deliveriesMax: number,
): number | undefined =>
  rows.find(({ next, delivery }) => delivery?.at === next && isProven(delivery, deliveriesMax))
    ?.partition;

/** True when a place was delivered often enough, the last time as a page of one event. */
export const isProven = (delivered: Delivered | undefined, deliveriesMax: number): boolean =>
  delivered !== undefined && delivered.limit === 1 && delivered.times >= deliveriesMax;

/**
 * What to note of a partition whose events from its committed position to `until` are delivered.
 */
export function planNote(
  { next, delivery }: DeliveryRow,
  { limit, until }: { limit: number; until: number },
): Delivery {
  const times = delivery?.at === next ? delivery.times + 1 : 1;
  return { at: next, times, limit, until: Math.max(until, delivery?.until ?? 0) };
}

/** Whether nothing was noted in between. */
export const isSameNote = (one: Delivery | undefined, other: Delivery | undefined): boolean =>
  one?.at === other?.at &&
  one?.times === other?.times &&
  one?.limit === other?.limit &&
  one?.until === other?.until;

/** Half of the last page, for what has to be delivered again. */
export const halved = ({ limit }: Delivered): number => Math.max(1, Math.floor(limit / 2));

const isSuspected = ({ next, delivery }: DeliveryRow): boolean =>
  delivery !== undefined && next < delivery.until;

const narrowed = ({ next, delivery }: DeliveryRow, limit: number): number => {
  if (delivery === undefined) return limit;
  return delivery.at === next ? halved(delivery) : delivery.limit;
};

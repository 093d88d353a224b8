import type { Delivered, PageEnd } from "../../model/parking.ts";
import type { Delivery, OffsetRow } from "../../table/offset.entity.ts";

/** The fields of a partition that delivery counting decides about. */
export type DeliveryRow = Pick<OffsetRow, "partition" | "next" | "delivery">;

/**
 * Returns the maximum number of events in a page. It is unknown which event of a page makes the
 * consumer fail. So each redelivery of the same place has half the events of the last page, down to
 * one event. The page stays small until a commit passes the last suspected event. Pure.
 */
export function planLimit(rows: readonly DeliveryRow[], limit: number): number {
  return Math.min(limit, ...rows.map((row) => (isSuspected(row) ? narrowed(row, limit) : limit)));
}

/**
 * Returns the partition whose next event was delivered `deliveriesMax` times without a commit, the
 * last time alone. Pure.
 */
export const planPoison = (
  rows: readonly DeliveryRow[],
  deliveriesMax: number,
): number | undefined =>
  rows.find(({ next, delivery }) => delivery?.at === next && isProven(delivery, deliveriesMax))
    ?.partition;

/** Returns whether a place was delivered often enough, the last time as a page of one event. */
export const isProven = (delivered: Delivered | undefined, deliveriesMax: number): boolean =>
  delivered !== undefined && delivered.limit === 1 && delivered.times >= deliveriesMax;

/**
 * Returns the record for a partition whose events from its committed offset to `until` are
 * delivered, in a page of `limit` events.
 */
export function planNote(
  { next, delivery }: DeliveryRow,
  { limit, until }: { limit: number; until: number },
): Delivery {
  const times = delivery?.at === next ? delivery.times + 1 : 1;
  const pages = withPage(pagesOf(delivery), until).filter(([end]) => end > next);
  return { at: next, times, limit, until: Math.max(until, delivery?.until ?? 0), pages };
}

/** Returns how often an event after the committed offset was delivered. Pure. */
export const deliveriesOf = (delivery: Delivery | undefined, sequence: number): number =>
  pagesOf(delivery).reduce((sum, [until, times]) => (until > sequence ? sum + times : sum), 0);

const pagesOf = (delivery: Delivery | undefined): readonly PageEnd[] =>
  delivery?.pages ?? (delivery === undefined ? [] : [[delivery.until, delivery.times]]);

/**
 * The maximum number of recorded page ends. Each redelivery halves the page, so there are few. Only
 * filtered events that arrive between deliveries add more. The furthest ends are then counted
 * together.
 */
const PAGES_MAX = 16;

function withPage(pages: readonly PageEnd[], until: number): PageEnd[] {
  const others = pages.filter(([end]) => end !== until);
  const times = 1 + (pages.find(([end]) => end === until)?.[1] ?? 0);
  const sorted = [...others, [until, times] as const].sort(([a], [b]) => a - b);
  const rest = sorted.slice(PAGES_MAX - 1);
  const [first] = rest;
  if (first === undefined || rest.length === 1) return sorted;
  const together = rest.reduce((sum, [, each]) => sum + each, 0);
  return [...sorted.slice(0, PAGES_MAX - 1), [first[0], together]];
}

/** Returns whether two records are the same, so nothing was recorded in between. */
export const isSameNote = (one: Delivery | undefined, other: Delivery | undefined): boolean =>
  one?.at === other?.at &&
  one?.times === other?.times &&
  one?.limit === other?.limit &&
  one?.until === other?.until;

/** Half the size of the last page, for a redelivery. */
export const halved = ({ limit }: Delivered): number => Math.max(1, Math.floor(limit / 2));

const isSuspected = ({ next, delivery }: DeliveryRow): boolean =>
  delivery !== undefined && next < delivery.until;

const narrowed = ({ next, delivery }: DeliveryRow, limit: number): number => {
  if (delivery === undefined) return limit;
  return delivery.at === next ? halved(delivery) : delivery.limit;
};

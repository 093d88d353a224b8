import { chainIn, type Epoch, epochAt, epochsOf, openEpoch } from "../../model/epochs.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { Table } from "../../table/table.ts";
import type { SubscriptionState } from "../state.ts";
import { planCarry } from "./parking-plan.ts";

const isParked = ({ parking }: SubscriptionState["offsets"][number]): boolean =>
  (parking?.keys.length ?? 0) > 0;

/**
 * Returns the last epoch that a reader of a subscription may enter. A page withholds the events of
 * parked keys, and the row of their partition guards its commit. So nothing after the epoch of that
 * row is read, until the epoch is committed and the keys are carried to the next one. Undefined
 * when the reader may read all of them.
 */
export function lastToRead(
  stream: LiveStream,
  { offsets }: Pick<SubscriptionState, "offsets">,
): Epoch | undefined {
  if (stream.epochs === undefined) return undefined;
  const first = offsets.find(isParked);
  return first === undefined ? undefined : epochAt(stream, first.partition);
}

/**
 * Returns whether keys are still parked in an epoch whose events are all committed, because the
 * next one has no room for them. Nothing more is delivered until some of them are retried or
 * skipped.
 */
export const isHeldBack = (
  stream: LiveStream,
  { offsets }: Pick<SubscriptionState, "offsets">,
): boolean =>
  stream.epochs !== undefined &&
  (lastToRead(stream, { offsets })?.first ?? Infinity) < openEpoch(stream, offsets).first;

/** Returns the partitions of the epochs up to `last`. */
export const chainsUpTo = (stream: LiveStream, last: Epoch): ReadonlySet<number> =>
  new Set(
    epochsOf(stream)
      .filter(({ first }) => first <= last.first)
      .flatMap(({ first, partitions }) =>
        Array.from({ length: partitions }, (_, at) => first + at),
      ),
  );

/**
 * Carries the parked keys of epochs whose events are all committed to the next epoch. Returns true
 * when anything was carried, or others have changed the rows.
 */
export async function carryParked(
  { table }: { readonly table: Table },
  stream: LiveStream,
  { row: { uid }, offsets }: SubscriptionState,
): Promise<boolean> {
  if (stream.epochs === undefined || !offsets.some(isParked)) return false;
  const open = openEpoch(stream, offsets);
  const place = { life: stream.life, subscriptionUid: uid };
  for (const row of offsets) {
    if (row.partition >= open.first) break;
    if (!isParked(row)) continue;
    const next = epochsOf(stream).find(({ first }) => first > row.partition);
    const targets =
      next === undefined ? [] : new Set(row.parking?.keys.map(({ key }) => chainIn(key, next)));
    for (const partition of targets) {
      const target = offsets[partition];
      const isCarried = (key: string) => next !== undefined && chainIn(key, next) === partition;
      const plan = target && planCarry(row, target, isCarried);
      if (plan === undefined || target === undefined) continue;
      // One move at a time: each has a condition on what the others change.
      await table.parking.changeAll(place, [
        [row, plan.from],
        [target, plan.to],
      ]);
      return true;
    }
  }
  return false;
}

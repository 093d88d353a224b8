import type { Filter, PatchSubscription } from "@eventledger/protocol";
import type { SubscriptionConfig, SubscriptionRow } from "../../table/subscription.entity.ts";
import { normalFilter, normalReads } from "../filter.ts";

/** The settings of a subscription after a change. */
export type ChangePlan = {
  readonly config: SubscriptionConfig;
  /** Counts the changes of a subscription's settings. */
  readonly configured: number;
  /**
   * A new filter begins a new generation at the same place. Earlier pages were read with the old
   * filter. Their commits would pass events that only the new filter lets through.
   */
  readonly generation: number;
  /**
   * The generation that last widened the filter, if it is this one. Events that it lets through
   * were left out before.
   */
  readonly widenedIn: number | undefined;
};

/** Returns the changes of a subscription. Undefined when it has these settings already. Pure. */
export function planChange(
  { config, configured = 0, widenedIn }: SubscriptionRow,
  generation: number,
  asked: PatchSubscription,
): ChangePlan | undefined {
  const { filter, maxDeliveries, reads, ...rest } = config;
  const to: SubscriptionConfig = {
    ...rest,
    ...(asked.leaseSeconds === undefined ? {} : { leaseSeconds: asked.leaseSeconds }),
    ...defined("filter", changed(filter && normalFilter(filter), asked.filter, normalFilter)),
    ...defined(
      "maxDeliveries",
      changed(maxDeliveries, asked.maxDeliveries, (most) => most),
    ),
    ...defined("reads", changed(reads, asked.reads, normalReads)),
  };
  const sameFilter = isSame(filter && normalFilter(filter), to.filter);
  if (sameFilter && isSame({ ...to, filter: 0 }, { ...config, filter: 0 })) return undefined;
  if (sameFilter) return { config: to, configured: configured + 1, generation, widenedIn };
  const next = generation + 1;
  const widened = widenedIn === generation || admitsMore(filter, to.filter);
  const plan = { config: to, configured: configured + 1, generation: next };
  return { ...plan, widenedIn: widened ? next : undefined };
}

/**
 * Returns whether the second filter may let an event through that the first leaves out. Both let
 * tombstones pass `types` and `headers`. Pure.
 */
export function admitsMore(before: Filter = {}, after: Filter = {}): boolean {
  const { types: typesBefore, keyPrefix: prefixBefore = "", headers: headersBefore = {} } = before;
  const { types, keyPrefix = "", headers = {} } = after;
  const fewerTypes =
    typesBefore === undefined || types?.every((type) => typesBefore.includes(type)) === true;
  const sameHeaders = Object.entries(headersBefore).every(
    ([name, value]) => headers[name] === value,
  );
  return !(fewerTypes && keyPrefix.startsWith(prefixBefore) && sameHeaders);
}

/** Returns the warnings about a changed filter for the consumer. */
export function warningsOf(
  { widenedIn }: Pick<SubscriptionRow, "widenedIn">,
  generation: number,
): string[] {
  return widenedIn === generation ? [WIDENED] : [];
}

const WIDENED =
  "The new filter lets events through that the old one left out. Those before the committed position are not delivered, and pages are not `consistent`. Seek to `bootstrap` or `earliest` to receive them.";

/** The warning in the answer to a change that leaves out events which passed before. */
export const NARROWED =
  "The new filter leaves out events that the old one let through. Keys that it leaves out get no further events, not even their deletion. Delete what the consumer holds of them.";

/** Returns a setting after a change. Null removes it, and undefined leaves it unchanged. */
const changed = <T>(
  present: T | undefined,
  asked: T | null | undefined,
  normal: (asked: T) => T,
): T | undefined => {
  if (asked === undefined) return present;
  return asked === null ? undefined : normal(asked);
};

const defined = <K extends string, T>(name: K, value: T | undefined): { [N in K]?: T } =>
  (value === undefined ? {} : { [name]: value }) as { [N in K]?: T };

/** Compares settings without regard to the order of members, which the table does not keep. */
const isSame = (one: unknown, other: unknown): boolean => print(one) === print(other);

const print = (of: unknown): string => JSON.stringify(of, sorted) ?? "";

const sorted = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

import { type CreateSubscription, LIMITS, type Start } from "@eventledger/protocol";
import { differencesOf } from "../../kernel/differences.ts";
import { LedgerError } from "../../kernel/error.ts";
import type { SubscriptionRow } from "../../table/subscription.entity.ts";
import { normalFilter, normalReads } from "../filter.ts";

/** The settings of a new subscription. A lease has the default length unless a length is given. */
export type NewSubscription = Omit<CreateSubscription, "leaseSeconds" | "start"> & {
  readonly start: Start;
  readonly leaseSeconds?: number;
};

/** Throws `subscription-exists`, with a pointer to each setting that differs. */
export function assertSameConfig(
  existing: SubscriptionRow,
  config: SubscriptionRow["config"],
): SubscriptionRow {
  const errors = differencesOf(normalConfig(existing.config), config);
  if (errors.length === 0) return existing;
  throw new LedgerError("subscription-exists", {
    detail: `A subscription named ${existing.name} exists with other settings. PATCH it, seek, or choose another name.`,
    errors,
  });
}

/** Returns settings in a normal form, because the table does not keep the order of members. */
export function normalConfig(asked: Omit<NewSubscription, "name">): SubscriptionRow["config"] {
  const { start, filter, leaseSeconds = LIMITS.leaseSecondsDefault, maxDeliveries } = asked;
  const filtered = filter === undefined ? {} : { filter: normalFilter(filter) };
  const counted = maxDeliveries === undefined ? {} : { maxDeliveries };
  const reading = asked.reads === undefined ? {} : { reads: normalReads(asked.reads) };
  return { start, ...filtered, leaseSeconds, ...counted, ...reading };
}

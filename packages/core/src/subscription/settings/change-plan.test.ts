import type { Filter } from "@eventledger/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredEvent } from "../../model/event.ts";
import type { ScopedName } from "../../model/names.ts";
import type { SubscriptionRow } from "../../table/subscription.entity.ts";
import { matcherOf } from "../filter.ts";
import { admitsMore, planChange } from "./change-plan.ts";

const text = fc.constantFrom("a", "b", "ab");
const filter: fc.Arbitrary<Filter | undefined> = fc.option(
  fc.record(
    {
      types: fc.uniqueArray(text, { minLength: 1 }),
      keyPrefix: text,
      headers: fc.dictionary(fc.constantFrom("h", "i"), text, { maxKeys: 2 }),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);
const event = fc.record({
  key: text,
  type: text,
  headers: fc.dictionary(fc.constantFrom("h", "i"), text, { maxKeys: 2 }),
  data: fc.constantFrom("1", "null"),
}) as fc.Arbitrary<unknown> as fc.Arbitrary<StoredEvent>;

const rowOf = (config: Partial<SubscriptionRow["config"]>, more: object = {}): SubscriptionRow => ({
  stream: "orders" as ScopedName,
  name: "s",
  uid: "u",
  streamUid: "v",
  createdAt: 0,
  config: { start: "earliest", leaseSeconds: 30, ...config },
  ...more,
});

describe("a change of a filter", () => {
  it("[sub.patch-filter] a filter that lets more through is recognised as wider", () => {
    fc.assert(
      fc.property(filter, filter, event, (before, after, each) => {
        if (admitsMore(before, after)) return;
        const passes = (of: Filter | undefined) => matcherOf(of)?.(each) ?? true;
        if (passes(after)) expect(passes(before)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it("[sub.patch-filter] an equal filter changes nothing and widens nothing", () => {
    fc.assert(
      fc.property(filter, (same) => {
        expect(admitsMore(same, same)).toBe(false);
        const config = same === undefined ? {} : { filter: same };
        expect(planChange(rowOf(config), 4, { filter: same ?? null })).toBeUndefined();
      }),
    );
  });

  it("[sub.patch-filter] a new filter begins a generation, and other settings do not", () => {
    const row = rowOf({ filter: { keyPrefix: "a" }, maxDeliveries: 5 });
    const plan = (asked: Parameters<typeof planChange>[2], of = row) => planChange(of, 4, asked);
    expect(plan({ leaseSeconds: 7 })).toMatchObject({ generation: 4, configured: 1 });
    expect(plan({ maxDeliveries: null })?.config).not.toHaveProperty("maxDeliveries");
    expect(plan({ filter: { keyPrefix: "ab" } })).toMatchObject({
      generation: 5,
      widenedIn: undefined,
      config: { filter: { keyPrefix: "ab" }, maxDeliveries: 5, leaseSeconds: 30 },
    });
    expect(plan({ filter: null })).toMatchObject({ generation: 5, widenedIn: 5 });
    expect(plan({})).toBeUndefined();
    expect(plan({ leaseSeconds: 30, maxDeliveries: 5 })).toBeUndefined();
  });

  it("[sub.patch-filter] a widened subscription stays widened until a seek, whatever else changes", () => {
    const row = rowOf({ filter: { keyPrefix: "a" } }, { widenedIn: 4, configured: 2 });
    expect(planChange(row, 4, { leaseSeconds: 7 })).toMatchObject({ widenedIn: 4, configured: 3 });
    const narrow = { filter: { keyPrefix: "ab" } };
    expect(planChange(row, 4, narrow)).toMatchObject({ generation: 5, widenedIn: 5 });
    expect(planChange(row, 5, narrow)).toMatchObject({ generation: 6, widenedIn: undefined });
  });
});

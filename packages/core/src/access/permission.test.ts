import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  coversDelivery,
  coversKey,
  coversPermissions,
  coversStream,
  coversSubscription,
  everything,
  isBound,
  nameRangesOf,
} from "./permission.ts";

const name = fc.string({ unit: fc.constantFrom("a", "b", "."), minLength: 1, maxLength: 4 });
const glob = fc.oneof(
  name,
  name.map((prefix) => `${prefix}*`),
  fc.constant("*"),
);
const globs = fc.array(glob, { minLength: 1, maxLength: 5 });
const scopes = fc.uniqueArray(fc.constantFrom(...everything.scopes), { minLength: 1 });

const bounds = fc.record(
  {
    subscriptions: globs,
    keyPrefix: fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
);

describe("permissions", () => {
  it("a glob covers a name exactly, or by its beginning", () => {
    const held = { scopes: [], streams: ["orders", "billing.*"] };
    for (const covered of ["orders", "billing.", "billing.eu", "billing.eu.x"]) {
      expect(coversStream(held, covered), covered).toBe(true);
    }
    for (const foreign of ["order", "orders2", "billing", "Billing.eu", "x.billing.eu", ""]) {
      expect(coversStream(held, foreign), foreign).toBe(false);
    }
  });

  it("[key.rights] covered permissions open only streams that the covering ones open", () => {
    fc.assert(
      fc.property(globs, globs, scopes, scopes, name, (streams, fewer, more, asked, stream) => {
        const held = { scopes: more, streams };
        const given = { scopes: asked, streams: fewer };
        if (!coversPermissions(held, given)) return;
        expect(asked.every((scope) => more.includes(scope))).toBe(true);
        if (coversStream(given, stream)) expect(coversStream(held, stream)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("[key.rights] covered permissions reach only subscriptions and keys that the covering ones reach", () => {
    fc.assert(
      fc.property(globs, bounds, bounds, name, name, (streams, one, other, subscription, key) => {
        const held = { scopes: everything.scopes, streams, ...one };
        const asked = { scopes: everything.scopes, streams, ...other };
        const covers = coversPermissions(held, asked);
        if (covers && coversSubscription(asked, subscription)) {
          expect(coversSubscription(held, subscription)).toBe(true);
        }
        if (covers && coversKey(asked, key)) expect(coversKey(held, key)).toBe(true);
        if (isBound(held) && !isBound(asked)) expect(covers).toBe(false);
        expect(coversPermissions(held, held)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("[key.key-prefix] a key prefix covers a subscription that delivers nothing else", () => {
    const held = { keyPrefix: "eu/", subscriptions: ["s.*"] };
    const brings = (name: string, keyPrefix?: string) =>
      coversDelivery(held, {
        name,
        config: keyPrefix === undefined ? {} : { filter: { keyPrefix } },
      });
    expect(brings("s.1", "eu/")).toBe(true);
    expect(brings("s.1", "eu/de")).toBe(true);
    for (const prefix of [undefined, "eu", "us/", ""]) expect(brings("s.1", prefix)).toBe(false);
    expect(brings("t", "eu/")).toBe(false);
  });

  it("permissions cover themselves, and the widest cover all", () => {
    fc.assert(
      fc.property(globs, scopes, (streams, held) => {
        expect(coversPermissions({ scopes: held, streams }, { scopes: held, streams })).toBe(true);
        expect(coversPermissions(everything, { scopes: held, streams })).toBe(true);
      }),
    );
  });

  it("[key.scope] globs become ranges that contain each covered name once, in order", () => {
    fc.assert(
      fc.property(globs, fc.uniqueArray(name, { maxLength: 30 }), (streams, names) => {
        const sorted = names.sort();
        const listed = nameRangesOf(streams).flatMap(({ prefix, exact }) =>
          sorted.filter((each) => (exact ? each === prefix : each.startsWith(prefix))),
        );
        expect(listed).toEqual(
          sorted.filter((each) => coversStream({ scopes: [], streams }, each)),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coversPermissions, coversStream, everything, nameRangesOf } from "./permission.ts";

const name = fc.string({ unit: fc.constantFrom("a", "b", "."), minLength: 1, maxLength: 4 });
const glob = fc.oneof(
  name,
  name.map((prefix) => `${prefix}*`),
  fc.constant("*"),
);
const globs = fc.array(glob, { minLength: 1, maxLength: 5 });
const scopes = fc.uniqueArray(fc.constantFrom(...everything.scopes), { minLength: 1 });

describe("permissions", () => {
  it("cover a name exactly, or by its beginning", () => {
    const held = { scopes: [], streams: ["orders", "billing.*"] };
    for (const covered of ["orders", "billing.", "billing.eu", "billing.eu.x"]) {
      expect(coversStream(held, covered), covered).toBe(true);
    }
    for (const foreign of ["order", "orders2", "billing", "Billing.eu", "x.billing.eu", ""]) {
      expect(coversStream(held, foreign), foreign).toBe(false);
    }
  });

  it("[key.rights] that are covered by others open nothing that those do not", () => {
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

  it("cover themselves, and the widest covers all", () => {
    fc.assert(
      fc.property(globs, scopes, (streams, held) => {
        expect(coversPermissions({ scopes: held, streams }, { scopes: held, streams })).toBe(true);
        expect(coversPermissions(everything, { scopes: held, streams })).toBe(true);
      }),
    );
  });

  it("[key.scope] become ranges that hold each covered name once, in order", () => {
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

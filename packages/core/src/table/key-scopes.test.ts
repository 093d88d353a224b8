import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { everything } from "../access/permission.ts";
import { firstScopesOf, scopesOf } from "./key-scopes.ts";

const FIRST = ["admin", "publish", "consume"] as const;
const bounds = fc.record(
  { subscriptions: fc.constant(["s"]), keyPrefix: fc.constant("k") },
  { requiredKeys: [] },
);

describe("the scopes of a stored key", () => {
  it("[key.scope-old] an old row keeps the scopes it had before they were divided", () => {
    expect(scopesOf({ scopes: ["admin", "consume"] })).toEqual([
      "admin",
      "read",
      "consume",
      "operate",
    ]);
    expect(scopesOf({ scopes: ["publish"] })).toEqual(["publish"]);
    const later = everything.scopes.filter((scope) => scope !== "audit");
    expect(scopesOf({ scopes: [...FIRST] }).toSorted()).toEqual(later.toSorted());
  });

  it("[key.scope-old] a new row has the scopes that were granted", () => {
    fc.assert(
      fc.property(fc.subarray([...everything.scopes]), bounds, (scopes, bound) => {
        const stored = { scopes: firstScopesOf({ scopes, ...bound }), grants: scopes };
        expect(scopesOf(stored)).toEqual(scopes);
      }),
    );
  });

  it("[key.scope-old] old code may do no more than was granted, and nothing with a bound key", () => {
    fc.assert(
      fc.property(fc.subarray([...everything.scopes]), bounds, (scopes, bound) => {
        const before = firstScopesOf({ scopes, ...bound });
        for (const scope of scopesOf({ scopes: before })) expect(scopes).toContain(scope);
        if (Object.keys(bound).length > 0) expect(before).toEqual([]);
        else if (scopes.length === everything.scopes.length) {
          expect(before.toSorted()).toEqual(FIRST.toSorted());
        }
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placed } from "../../../../packages/core/src/schema/compatibility.ts";
import { createImplications } from "../../../../packages/core/src/schema/implication.ts";
import type { Schema } from "../../../../packages/core/src/schema/keywords.ts";
import { TooManySteps, violations } from "../../../../packages/core/src/schema/validate.ts";
import { SEED } from "../../../support/seed.ts";
import { anyPair, anyValues } from "./random-schemas.ts";

const accepts = (schema: Schema, value: unknown): boolean => violations(schema, value).length === 0;

/** Returns whether one schema is proven to imply the other. Each proof gets few steps here. */
function implies(one: Schema, other: Schema): boolean {
  try {
    return createImplications(20_000).proves([placed(one)], placed(other));
  } catch (error) {
    if (error instanceof TooManySteps) return false;
    throw error;
  }
}

const numRuns = Number(process.env.PAIRS ?? 3_000);

describe("random pairs of schemas", () => {
  it("[schema.compatible] no change is called compatible while one schema accepts a value that the other refuses", () => {
    const counted = { proven: 0, refuted: 0, open: 0 };
    fc.assert(
      fc.property(anyPair, anyValues, ([one, other], values) => {
        const isRefuted = values.some((value) => accepts(one, value) && !accepts(other, value));
        const isProven = implies(one, other);
        counted[isProven ? "proven" : isRefuted ? "refuted" : "open"]++;
        expect(isProven && isRefuted).toBe(false);
      }),
      { numRuns, seed: SEED },
    );
    console.log(counted);
    expect(counted.proven).toBeGreaterThan(numRuns / 10);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placed } from "../../../../packages/core/src/schema/compatibility.ts";
import type { Schema } from "../../../../packages/core/src/schema/keywords.ts";
import { brokenReads, promiseOf } from "../../../../packages/core/src/schema/reads.ts";
import { violations } from "../../../../packages/core/src/schema/validate.ts";
import type { PutSchemas } from "../../../../packages/protocol/src/index.ts";
import { SEED } from "../../../support/seed.ts";
import { anyPair, anyValues } from "./random-schemas.ts";

const accepts = (schema: Schema, value: unknown): boolean => violations(schema, value).length === 0;

const of = (schema: Schema): PutSchemas => ({ schemas: { t: schema }, undeclared: "accepted" });
const breaksOf = (former: Schema, next: Schema, field: string) =>
  brokenReads(of(former), of(next), [{ name: "s", reads: { t: [field] } }]);

/** Schemas of members, which accept some of these values and refuse others. */
const VALUES = [-1, 0, 1, 1.5, 2, "", "ab", null, true];
const member = fc.constantFrom<Schema>(
  ...[true, { type: "number" }, { type: "integer" }, { type: "string" }, { minimum: 1 }],
  ...[{ type: ["number", "null"] }, { enum: [0, "ab"] }, { not: { type: "null" } }],
  ...[{ anyOf: [{ type: "string" }, { maximum: 1 }] }, { minLength: 1 }],
);
const plain = fc
  .record({
    a: fc.option(member, { nil: undefined }),
    b: fc.option(member, { nil: undefined }),
    required: fc.subarray(["a", "b"]),
    isClosed: fc.boolean(),
  })
  .map(
    ({ a, b, required, isClosed }): Schema => ({
      type: "object",
      properties: { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) },
      required: required.filter((name) => !isClosed || { a, b }[name as "a"] !== undefined),
      ...(isClosed ? { additionalProperties: false } : {}),
    }),
  );
const objects = [undefined, ...VALUES].flatMap((a) =>
  [undefined, ...VALUES].map((b) => ({
    ...(a === undefined ? {} : { a }),
    ...(b === undefined ? {} : { b }),
  })),
);

describe("random changes of what a subscription reads", () => {
  it("[schema.reads] a field that a change does not break has no value, nor lacks one, as it did not before", () => {
    const counted = { kept: 0, broken: 0 };
    fc.assert(
      fc.property(plain, plain, (former, next) => {
        const seen = (schema: Schema) =>
          new Set(
            objects.filter((each) => accepts(schema, each)).map(({ a }) => JSON.stringify(a)),
          );
        const [before, after] = [seen(former), seen(next)];
        const isNew = [...after].some((value) => !before.has(value));
        const isBroken = breaksOf(former, next, "/a").length > 0;
        counted[isBroken ? "broken" : "kept"]++;
        if (!isBroken) expect(isNew).toBe(false);
        // A field that can no longer be there breaks as well.
        const isGone =
          [...before].some((value) => value !== undefined) &&
          [...after].every((value) => value === undefined);
        if (isBroken) expect(isNew || isGone).toBe(true);
      }),
      { numRuns: 2_000, seed: SEED },
    );
    console.log(counted);
    expect(counted.kept).toBeGreaterThan(200);
  });

  it("[schema.reads] whatever the schemas are, the new one keeps the promise about a field that it does not break", () => {
    const field = fc.constantFrom("/a", "/a/b", "/0", "/*", "/a/*/b", "/b/1");
    let kept = 0;
    fc.assert(
      fc.property(anyPair, anyValues, field, ([former, next], values, path) => {
        if (breaksOf(former, next, path).length > 0) return;
        kept++;
        const steps = path.split("/").slice(1);
        const promise = promiseOf(placed(former), steps);
        // The promise refers to the definitions of the former schema.
        const whole =
          typeof promise.schema === "object" && typeof former === "object"
            ? { ...promise.schema, $defs: former.$defs }
            : promise.schema;
        for (const value of values) {
          // What the former schema accepts keeps its own promise.
          if (accepts(former, value)) expect(accepts(whole as Schema, value)).toBe(true);
          if (accepts(next, value)) expect(accepts(whole as Schema, value)).toBe(true);
        }
      }),
      { numRuns: 1_000, seed: SEED },
    );
    expect(kept).toBeGreaterThan(200);
  });
});

import { describe, expect, it } from "vitest";
import { incompatibilities, placed } from "./compatibility.ts";
import { createImplications } from "./implication.ts";
import { faultsOf, type Schema } from "./keywords.ts";
import { violations } from "./validate.ts";

const implies = (one: Schema, other: Schema): boolean => {
  expect(faultsOf(one)).toEqual([]);
  expect(faultsOf(other)).toEqual([]);
  return createImplications().proves([placed(one)], placed(other));
};

const accepts = (schema: Schema, value: unknown): boolean => violations(schema, value).length === 0;

describe("an implication between schemas", () => {
  it.each<[Schema, Schema]>([
    [{ type: "integer" }, { type: "number" }],
    [{ type: "integer", exclusiveMinimum: 0 }, { minimum: 1 }],
    [{ multipleOf: 6 }, { multipleOf: 3 }],
    [{ multipleOf: 0.3 }, { multipleOf: 0.1 }],
    [{ type: "integer", minimum: 2, maximum: 2 }, { const: 2 }],
    [
      { multipleOf: 5, minimum: 0, maximum: 9 },
      { type: ["integer", "string", "boolean", "null", "array", "object"] },
    ],
    [{ enum: ["a", "b"] }, { enum: ["b", "c", "a"] }],
    [{ enum: [1, "a"], type: "string" }, { const: "a" }],
    [{ const: { a: 1 } }, { required: ["a"] }],
    [{ type: "boolean" }, { enum: [true, false] }],
    [{ minLength: 3 }, { minLength: 2 }],
    [{ required: ["a", "b"] }, { required: ["b"] }],
    [{ required: ["a"], dependentRequired: { a: ["b"] } }, { required: ["b"] }],
    [{ required: ["a"] }, { minProperties: 1 }],
    [{ properties: { a: true }, additionalProperties: false }, { maxProperties: 1 }],
    [{ properties: { a: true }, additionalProperties: false }, { propertyNames: { maxLength: 1 } }],
    [{ additionalProperties: { type: "integer" } }, { properties: { a: { type: "number" } } }],
    [{ propertyNames: { enum: ["a"] } }, { properties: { a: true }, additionalProperties: false }],
    [{ type: "object", properties: { a: false } }, { not: { required: ["a"] } }],
    [{ not: { type: "string" } }, { not: { const: "a" } }],
    [{ type: "string" }, { not: { type: "number" } }],
    [{ items: { type: "integer" } }, { items: { type: "number" } }],
    [{ prefixItems: [true, false] }, { maxItems: 1 }],
    [{ prefixItems: [{ type: "string" }], items: false }, { items: { type: "string" } }],
    [
      { contains: { const: 1 }, minContains: 2 },
      { minItems: 2, contains: { type: "number" } },
    ],
    [{ items: { type: "string" }, minItems: 1 }, { contains: { type: "string" } }],
    [{ maxItems: 1 }, { uniqueItems: true }],
    [{ anyOf: [{ type: "string" }, { type: "integer" }] }, { type: ["number", "string"] }],
    [{ type: ["number", "string"] }, { anyOf: [{ type: "string" }, { type: "number" }] }],
    [{ oneOf: [{ minimum: 5 }, { maximum: 2 }] }, { anyOf: [{ minimum: 4 }, { maximum: 3 }] }],
    [
      { type: "integer", maximum: 0 },
      { oneOf: [{ maximum: 1 }, { minimum: 2 }, { type: "string" }] },
    ],
    [
      { oneOf: [{ minimum: 1 }, { multipleOf: 2 }] },
      { oneOf: [{ minimum: 1 }, { multipleOf: 2 }], title: "x" },
    ],
    [
      // biome-ignore lint/suspicious/noThenProperty: this is the keyword
      { if: { type: "string" }, then: { minLength: 1 }, else: false },
      { type: "string", minLength: 1 },
    ],
    [
      { type: "string", minLength: 1 },
      // biome-ignore lint/suspicious/noThenProperty: this is the keyword
      { if: { type: "string" }, then: { minLength: 1 }, else: false },
    ],
    [{ dependentSchemas: { a: { required: ["b"] } } }, { dependentRequired: { a: ["b"] } }],
    [{ allOf: [{ minimum: 1 }, { maximum: 3 }] }, { minimum: 0, maximum: 3 }],
    [{ $ref: "#/$defs/a", $defs: { a: { type: "string" } } }, { type: "string" }],
    [
      { type: "object", properties: { next: { $ref: "#" } }, required: ["id"] },
      {
        type: "object",
        properties: { next: { $ref: "#/$defs/n" } },
        $defs: { n: { type: "object", properties: { next: { $ref: "#" } } } },
      },
    ],
    [false, { type: "string" }],
    [{ type: "string", minLength: 3, maxLength: 2 }, false],
    [{ type: "object", required: ["a"], properties: { a: false } }, false],
    [{ type: "integer", exclusiveMinimum: 1, exclusiveMaximum: 2 }, false],
  ])("%j implies %j", (one, other) => {
    expect(implies(one, other)).toBe(true);
  });

  it.each<[Schema, Schema, unknown]>([
    [{ type: "number" }, { type: "integer" }, 1.5],
    [
      { multipleOf: 1 },
      { type: ["integer", "string", "boolean", "null", "array", "object"] },
      Infinity,
    ],
    [{ minimum: 0 }, { exclusiveMinimum: 0 }, 0],
    [
      { properties: { a: { type: "string" } } },
      { additionalProperties: { type: "string" } },
      { b: 1 },
    ],
    [true, { properties: { a: { type: "string" } } }, { a: 1 }],
    [{ required: ["a"] }, { type: "object" }, 1],
    [{ oneOf: [{ minimum: 1 }, { minimum: 2 }] }, { minimum: 2 }, 1],
    [{ not: { required: ["a", "b"] } }, { not: { required: ["a"] } }, { a: 1 }],
    [
      { properties: { n: { $ref: "#" } } },
      { properties: { n: { $ref: "#" }, a: { type: "string" } } },
      { a: 1 },
    ],
    [{ contains: true }, { minItems: 2 }, [1]],
    [{ prefixItems: [{ type: "string" }] }, { items: { type: "string" } }, ["a", 1]],
  ])("%j does not imply %j: %j", (one, other, value) => {
    expect(implies(one, other)).toBe(false);
    expect(accepts(one, value)).toBe(true);
    expect(accepts(other, value)).toBe(false);
  });

  /** Kinds of events in one schema, which a member distinguishes. */
  const union = (kinds: number, least: number): Schema => ({
    type: "object",
    oneOf: Array.from({ length: kinds }, (_, kind) => ({
      properties: { kind: { const: `k${kind}` }, total: { type: "number", minimum: least } },
      required: ["kind", "total"],
    })),
  });

  it("is found for unions with many kinds", () => {
    expect(implies(union(40, 1), union(40, 0))).toBe(true);
    expect(implies(union(20, 1), union(21, 1))).toBe(true);
    expect(implies(union(20, 0), union(20, 1))).toBe(false);
    expect(implies(union(20, 1), union(19, 1))).toBe(false);
  });

  /** Definitions that refer to each other in many ways. */
  const tangled = (least: number): Schema => ({
    $ref: "#/$defs/d0",
    $defs: Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [
        `d${at}`,
        {
          minProperties: least,
          properties: Object.fromEntries(
            Array.from({ length: 10 }, (_, to) => [
              `p${to}`,
              { $ref: `#/$defs/d${(at * 7 + to * 3 + 1) % 20}` },
            ]),
          ),
        },
      ]),
    ),
  });

  it("is found for definitions that refer to each other in many ways", () => {
    expect(implies(tangled(2), tangled(1))).toBe(true);
    expect(implies(tangled(1), tangled(2))).toBe(false);
  });

  it("[schema.compatible] nothing is kept that was proven from what turned out to be wrong", () => {
    const $defs = (value: string) => ({
      tree: { properties: { box: { $ref: "#/$defs/box" }, value: { type: value } } },
      box: { properties: { tree: { $ref: "#/$defs/tree" } } },
    });
    const types = (value: string) => ({
      schemas: {
        first: { $ref: "#/$defs/tree", $defs: $defs(value) },
        second: { properties: { box: { $ref: "#/$defs/box" } }, $defs: $defs(value) },
      },
      undeclared: "accepted" as const,
    });
    const found = incompatibilities(types("string"), types("number"));
    const refused = found.filter(({ direction }) => direction === "backward");
    expect(refused.map(({ type }) => type)).toEqual(["first", "second"]);
    expect(incompatibilities(types("string"), types("string"))).toEqual([]);
  });
});

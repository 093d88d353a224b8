import { describe, expect, it } from "vitest";
import { faultsOf } from "./keywords.ts";
import { violations } from "./validate.ts";

const accepts = (schema: object, value: unknown): boolean => {
  expect(faultsOf(schema)).toEqual([]);
  return violations(schema as never, value).length === 0;
};

describe("a check of a value", () => {
  it.each([
    [{ type: "integer" }, 1, 1.5],
    [{ type: ["string", "null"] }, null, 1],
    [{ enum: [{ a: 1, b: 2 }, false] }, { b: 2, a: 1 }, 0],
    [{ const: [1] }, [1], [true]],
    [{ multipleOf: 0.1 }, 0.3, 0.35],
    [{ multipleOf: 1e-8 }, 12391239123, 1.5e-9],
    [{ minimum: 1, exclusiveMaximum: 2 }, 1, 2],
    [{ minLength: 2, maxLength: 2 }, "\u{1F4A9}\u{1F4A9}", "\u{1F4A9}"],
    [{ prefixItems: [{ type: "string" }], items: { type: "number" } }, ["a", 1], ["a", "b"]],
    [{ contains: { const: 1 }, minContains: 2, maxContains: 3 }, [1, 1], [1]],
    [{ contains: { const: 1 }, minContains: 0 }, [], undefined],
    [
      { uniqueItems: true },
      [{ a: 1 }, { a: 2 }],
      [
        { a: 1, b: 1 },
        { b: 1, a: 1 },
      ],
    ],
    [{ required: ["__proto__"] }, JSON.parse('{"__proto__":1}'), {}],
    [{ additionalProperties: false, properties: { a: true } }, { a: 1 }, { toString: 1 }],
    [{ propertyNames: { maxLength: 1 } }, { a: 1 }, { ab: 1 }],
    [{ dependentRequired: { a: ["b"] } }, { a: 1, b: 1 }, { a: 1 }],
    [{ dependentSchemas: { a: { required: ["b"] } } }, {}, { a: 1 }],
    [{ minProperties: 1, maxProperties: 1 }, { a: 1 }, { a: 1, b: 1 }],
    [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, 1, 3],
    [{ anyOf: [{ minimum: 5 }, { maximum: 2 }] }, 1, 3],
    [{ oneOf: [{ minimum: 1 }, { maximum: 2 }] }, 3, 1],
    [{ not: { type: "string" } }, 1, "a"],
    // biome-ignore lint/suspicious/noThenProperty: this is the keyword
    [{ if: { minimum: 5 }, then: { multipleOf: 2 }, else: { multipleOf: 3 } }, 6, 4],
    [{ $ref: "#/$defs/a", $defs: { a: { type: "string" } } }, "a", 1],
    [{ properties: { next: { $ref: "#" } }, additionalProperties: false }, { next: {} }, { a: 1 }],
  ])("%j accepts %j and not %j", (schema, right, wrong) => {
    expect(accepts(schema, right)).toBe(true);
    if (wrong !== undefined) expect(accepts(schema, wrong)).toBe(false);
  });

  it("[schema.bounded] ends after a bounded number of steps, and refuses the value", () => {
    const $defs: Record<string, object> = { end: { type: "string" } };
    for (let at = 0; at < 30; at++) {
      const $ref = at === 29 ? "#/$defs/end" : `#/$defs/d${at + 1}`;
      $defs[`d${at}`] = { anyOf: [{ $ref }, { $ref }] };
    }
    const schema = { $ref: "#/$defs/d0", $defs };
    expect(faultsOf(schema)).toEqual([]);
    expect(violations(schema, 1)).toEqual([
      { pointer: "", detail: "takes more than 100000 steps to check" },
    ]);
  });

  it("a number beyond the range of doubles is not null", () => {
    const beyond = JSON.parse("1e400");
    expect(accepts({ const: null }, beyond)).toBe(false);
    expect(accepts({ enum: [null, 1] }, beyond)).toBe(false);
    expect(accepts({ uniqueItems: true }, [null, beyond])).toBe(true);
    expect(accepts({ uniqueItems: true }, [0, -0])).toBe(false);
  });

  it("points at members by JSON pointers", () => {
    const schema = { properties: { "a/b": { items: { required: ["c~d"] } } } };
    expect(violations(schema, { "a/b": [{ "c~d": 1 }, {}] })).toEqual([
      { pointer: "/a~1b/1/c~0d", detail: "is required" },
    ]);
  });
});

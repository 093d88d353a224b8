import fc from "fast-check";
import { faultsOf, type Schema } from "../../../../packages/core/src/schema/keywords.ts";

/**
 * Random schemas over few names and numbers, so that two of them often have to do with each other.
 */

const name = fc.constantFrom("a", "b", "c", "__proto__");
const number = fc.constantFrom(-1, 0, 0.5, 1, 2, 3);
const count = fc.constantFrom(0, 1, 2, 3);
const text = fc.constantFrom("", "a", "b", "ab", "abc");
const type = fc.constantFrom("null", "boolean", "object", "array", "number", "integer", "string");

const scalar: fc.Arbitrary<unknown> = fc.oneof(
  number,
  text,
  fc.constantFrom(null, true, false, 4, 6, Infinity),
);

const { value } = fc.letrec<{ value: unknown; inner: unknown }>((tie) => ({
  inner: fc.oneof({ weight: 3, arbitrary: scalar }, { weight: 1, arbitrary: tie("value") }),
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("inner"), { maxLength: 3 }),
    fc.dictionary(name, tie("inner"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

export const anyValues = fc.array(value, { minLength: 60, maxLength: 60 });

const doubles = scalar.filter((each) => each !== Infinity);
const data = fc.oneof(
  doubles,
  fc.array(doubles, { maxLength: 2 }),
  fc.dictionary(name, doubles, { maxKeys: 2, noNullPrototype: true }),
);

const { schema } = fc.letrec<{ schema: Schema }>((tie) => {
  const sub = tie("schema");
  const subs = fc.array(sub, { minLength: 1, maxLength: 3 });
  const some = <T>(keywords: Record<string, fc.Arbitrary<T>>) =>
    fc.record(keywords, { requiredKeys: [] });
  const names = fc.uniqueArray(name, { maxLength: 2 });
  return {
    schema: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.boolean(),
      some<unknown>({ type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })) }),
      some<unknown>({ type, minimum: number, maximum: number }),
      some<unknown>({
        exclusiveMinimum: number,
        exclusiveMaximum: number,
        multipleOf: fc.constantFrom(0.5, 1, 2, 3),
      }),
      some<unknown>({ type, minLength: count, maxLength: count }),
      some<unknown>({ enum: fc.array(data, { maxLength: 3 }), const: data }),
      some<unknown>({
        prefixItems: subs,
        items: sub,
        minItems: count,
        maxItems: count,
        uniqueItems: fc.boolean(),
      }),
      some<unknown>({ contains: sub, minContains: count, maxContains: count, items: sub }),
      some<unknown>({
        type,
        properties: fc.dictionary(name, sub, { maxKeys: 2, noNullPrototype: true }),
        additionalProperties: sub,
        required: names,
      }),
      some<unknown>({
        properties: fc.dictionary(name, sub, { maxKeys: 2, noNullPrototype: true }),
        propertyNames: sub,
        minProperties: count,
        maxProperties: count,
      }),
      some<unknown>({
        required: names,
        dependentRequired: fc.dictionary(name, names, { maxKeys: 2, noNullPrototype: true }),
        dependentSchemas: fc.dictionary(name, sub, { maxKeys: 2, noNullPrototype: true }),
      }),
      some<unknown>({ allOf: subs, anyOf: subs }),
      some<unknown>({ oneOf: subs, not: sub }),
      // biome-ignore lint/suspicious/noThenProperty: this is the keyword
      some<unknown>({ if: sub, then: sub, else: sub }),
      fc.constantFrom<Schema>({ $ref: "#" }, { $ref: "#/$defs/d" }),
    ) as fc.Arbitrary<Schema>,
  };
});

/** A schema with definitions, without a circle for the same value. */
const document: fc.Arbitrary<Schema> = fc
  .tuple(schema, schema)
  .map(([root, d]): Schema => (typeof root === "boolean" ? root : { ...root, $defs: { d } }))
  .filter((each) => faultsOf(each).length === 0);

type Tree = { [member: string]: unknown };

/** Changes one keyword somewhere in a schema: removes it, or puts that of another schema there. */
function changed(of: Schema, other: Schema, path: readonly number[]): Schema {
  const copy = structuredClone(of);
  let at: unknown = copy;
  for (const step of path) {
    if (typeof at !== "object" || at === null) break;
    const members = Object.keys(at).filter((member) => member !== "$defs");
    const member = members[step % Math.max(1, members.length)];
    if (member === undefined) break;
    const tree = at as Tree;
    const below = tree[member];
    if (typeof below === "object" && below !== null && step % 3 !== 0) {
      at = below;
      continue;
    }
    const otherTree = other as Tree;
    if (typeof other === "object" && Object.hasOwn(otherTree, member)) {
      Object.assign(tree, { [member]: otherTree[member] });
    } else if (!Array.isArray(tree)) delete tree[member];
    break;
  }
  return copy;
}

const near = fc
  .tuple(document, document, fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([one, other, path, isReverse]): [Schema, Schema] => {
    const next = changed(one, other, path);
    return isReverse ? [next, one] : [one, next];
  })
  .filter((pair) => pair.every((each) => faultsOf(each).length === 0));

/** Two schemas: often one is a small change of the other. */
export const anyPair: fc.Arbitrary<readonly [Schema, Schema]> = fc.oneof(
  { weight: 2, arbitrary: near },
  { weight: 1, arbitrary: fc.tuple(document, document) },
);

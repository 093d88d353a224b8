import * as fc from "fast-check";

/**
 * A part of an expression. When it is rendered, it registers the names and values that it needs.
 */
export type Piece = (placeholders: PlaceholderSet) => string;

export type PlaceholderSet = {
  name(attribute: string): string;
  value(value: unknown): string;
  /** Returns the members of a request, without empty ones. */
  members(): {
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, unknown>;
  };
};

/** Numbers placeholders as ElectroDB does: `#count`, `:count0`. */
export const createPlaceholders = (): PlaceholderSet => {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  return {
    name: (attribute) => {
      names[`#${attribute}`] = attribute;
      return `#${attribute}`;
    },
    value: (value) => {
      const placeholder = `:v_u${Object.keys(values).length}`;
      values[placeholder] = value;
      return placeholder;
    },
    members: () => ({
      ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
      ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
    }),
  };
};

const text = fc.constantFrom("", "a", "ab", "abc", "b", "é", "😀", "\uff5e", "SEQ#1");
const number = fc.constantFrom(0, 1, 2, 3, 10, 99, 100, 12345, -1, -40, 1_800_000_000_000);
const binary = fc.uint8Array({ maxLength: 3 });
export const scalar = fc.oneof(text, number, binary, fc.boolean(), fc.constant(null));
export const set = fc.oneof(
  fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }).map((list) => new Set(list)),
  fc.uniqueArray(fc.constantFrom(1, 2, 3), { minLength: 1 }).map((list) => new Set(list)),
);
export const list = fc.array(fc.oneof(text, number, fc.constant(1.5)), { maxLength: 3 });
export const map = fc.dictionary(fc.constantFrom("x", "y"), fc.oneof(text, number, list), {
  maxKeys: 2,
});

/** Attributes that usually have one type, so that operators often find the type they need. */
const attributes = {
  n: number,
  count: number,
  s: text,
  b: binary,
  t: set,
  l: list,
  m: map,
  any: fc.oneof(scalar, set, list, map),
};

type Attribute = keyof typeof attributes;

/** The attributes of an item, without its key. */
export const arbitraryAttributes = fc.record(
  Object.fromEntries(
    Object.entries(attributes).map(([name, usual]) => [
      name,
      fc.oneof({ weight: 9, arbitrary: usual as fc.Arbitrary<unknown> }, scalar),
    ]),
  ),
  { requiredKeys: [] },
);

const names = Object.keys(attributes) as Attribute[];
export const attribute = fc.constantFrom(...names, "absent");
export const path: fc.Arbitrary<Piece> = fc.oneof(
  {
    weight: 8,
    arbitrary: attribute.map(
      (name): Piece =>
        (set) =>
          set.name(name),
    ),
  },
  fc.constant<Piece>((set) => `${set.name("m")}.${set.name("x")}`),
  fc.constant<Piece>((set) => `${set.name("l")}[1]`),
);
export const literal = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Piece> =>
  value.map((each) => (set) => set.value(each));
const orderable = fc.oneof(text, number, fc.constant(1.5), binary);

const call = (name: string, second?: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc.tuple(path, second ?? fc.constant(undefined)).map(
    ([a, b]) =>
      (set) =>
        `${name}(${a(set)}${b === undefined ? "" : `, ${b(set)}`})`,
  );

const comparator = fc.constantFrom("=", "<>", "<", "<=", ">", ">=");
const comparison: fc.Arbitrary<Piece> = fc
  .tuple(
    fc.oneof({ weight: 6, arbitrary: path }, sizeOf(fc.constantFrom("s", "b", "t", "l", "m"))),
    comparator,
    fc.oneof({ weight: 9, arbitrary: literal(orderable) }, literal(scalar), path),
  )
  .map(
    ([left, symbol, right]) =>
      (set) =>
        `${left(set)} ${symbol} ${right(set)}`,
  );

function sizeOf(name: fc.Arbitrary<string>): fc.Arbitrary<Piece> {
  return name.map((each) => (set) => `size(${set.name(each)})`);
}

const leaf: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 4, arbitrary: comparison },
  { weight: 2, arbitrary: call("attribute_exists") },
  { weight: 2, arbitrary: call("attribute_not_exists") },
  call("begins_with", literal(fc.oneof(text, text, binary))),
  containsIn(),
  call("attribute_type", literal(fc.constantFrom("S", "N", "SS", "L", "M", "NULL", "string"))),
  fc.tuple(path, literal(fc.constantFrom(-5, 0, 2)), literal(fc.constantFrom(2, 10, 99))).map(
    ([a, low, high]): Piece =>
      (set) =>
        `(${a(set)} between ${low(set)} and ${high(set)})`,
  ),
  fc.tuple(path, fc.array(literal(scalar), { minLength: 1, maxLength: 3 })).map(
    ([a, list]): Piece =>
      (set) =>
        `${a(set)} IN (${list.map((each) => each(set)).join(", ")})`,
  ),
);

function containsIn(): fc.Arbitrary<Piece> {
  const inside = fc.constantFrom<Attribute | "absent">("s", "t", "l", "n", "absent");
  return fc.tuple(inside, fc.oneof(text, number)).map(
    ([name, part]) =>
      (set) =>
        `contains(${set.name(name)}, ${set.value(part)})`,
  );
}

type Lazy = () => string;

const shape = fc.constantFrom<(a: Lazy, b: Lazy, c: Lazy) => string>(
  (a) => a(),
  (a) => a(),
  (a) => `NOT ${a()}`,
  (a) => `not (${a()})`,
  (a, b) => `${a()} AND ${b()}`,
  (a, b) => `${a()} OR ${b()}`,
  (a, b, c) => `${a()} AND ${b()} OR ${c()}`,
  (a, b, c) => `${a()} or ${b()} and NOT ${c()}`,
  (a, b, c) => `(${a()} OR ${b()}) AND ${c()}`,
);

/** A condition or filter on any attributes except the keys. */
export const arbitraryFilter: fc.Arbitrary<Piece> = fc.tuple(leaf, leaf, leaf, shape).map(
  ([a, b, c, render]) =>
    (set) =>
      render(
        () => a(set),
        () => b(set),
        () => c(set),
      ),
);

/** A condition for a write: one that ElectroDB adds, or any other. */
export const arbitraryCondition: fc.Arbitrary<Piece> = fc.oneof(
  onKeys("attribute_not_exists"),
  onKeys("attribute_exists"),
  { weight: 3, arbitrary: arbitraryFilter },
);

function onKeys(name: string): fc.Arbitrary<Piece> {
  return fc.constant((set) => `${name}(${set.name("pk")}) AND ${name}(${set.name("sk")})`);
}

import * as fc from "fast-check";

/** A piece of an expression that says which names and values it needs when it is rendered. */
export type Piece = (placeholders: PlaceholderSet) => string;

export type PlaceholderSet = {
  name(attribute: string): string;
  value(value: unknown): string;
  /** The members of a request, without those that would be empty. */
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
const number = fc.constantFrom(0, 1, 2, 3, 10, 99, 100, 12345, -1, -40, 1.5, 1_800_000_000_000);
const binary = fc.uint8Array({ maxLength: 3 });
const scalar = fc.oneof(text, number, binary, fc.boolean(), fc.constant(null));
const set = fc.oneof(
  fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }).map((list) => new Set(list)),
  fc.uniqueArray(fc.constantFrom(1, 2, 3), { minLength: 1 }).map((list) => new Set(list)),
);
const list = fc.array(fc.oneof(text, number), { maxLength: 3 });
const map = fc.dictionary(fc.constantFrom("x", "y"), fc.oneof(text, number, list), { maxKeys: 2 });

/** Attributes that usually hold one kind, so that operators often meet what they want. */
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
const attribute = fc.constantFrom(...names, "absent");
const path: fc.Arbitrary<Piece> = fc.oneof(
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
const literal = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Piece> =>
  value.map((each) => (set) => set.value(each));
const orderable = fc.oneof(text, number, binary);

const call = (name: string, second?: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc.tuple(path, second ?? fc.constant(undefined)).map(
    ([a, b]) =>
      (set) =>
        `${name}(${a(set)}${b === undefined ? "" : `, ${b(set)}`})`,
  );

const comparator = fc.constantFrom("=", "<>", "<", "<=", ">", ">=");
const comparison: fc.Arbitrary<Piece> = fc
  .tuple(
    fc.oneof({ weight: 6, arbitrary: path }, sizeOf(fc.constantFrom("b", "t", "l", "m"))),
    comparator,
    fc.oneof({ weight: 6, arbitrary: literal(orderable) }, literal(scalar), path),
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
  fc.tuple(path, literal(number), literal(number)).map(
    ([a, low, high]) =>
      (set) =>
        `(${a(set)} between ${low(set)} and ${high(set)})`,
  ),
  fc.tuple(path, fc.array(literal(scalar), { minLength: 1, maxLength: 3 })).map(
    ([a, list]) =>
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

/** A condition or filter on anything but the keys. */
export const arbitraryFilter: fc.Arbitrary<Piece> = fc.tuple(leaf, leaf, leaf, shape).map(
  ([a, b, c, render]) =>
    (set) =>
      render(
        () => a(set),
        () => b(set),
        () => c(set),
      ),
);

/** A condition for a write: those that ElectroDB adds, or any. */
export const arbitraryCondition: fc.Arbitrary<Piece> = fc.oneof(
  onKeys("attribute_not_exists"),
  onKeys("attribute_exists"),
  { weight: 3, arbitrary: arbitraryFilter },
);

function onKeys(name: string): fc.Arbitrary<Piece> {
  return fc.constant((set) => `${name}(${set.name("pk")}) AND ${name}(${set.name("sk")})`);
}

const plain =
  (name: string): Piece =>
  (set) =>
    set.name(name);
const ifNotExists =
  (name: string, value: unknown): Piece =>
  (set) =>
    `if_not_exists(${set.name(name)}, ${set.value(value)})`;

const whole = fc.integer({ min: -3, max: 20 });
const newValue = fc.oneof(scalar, set, list, map);

const setValue: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 4, arbitrary: literal(newValue) },
  fc.tuple(attribute, newValue).map(([name, value]) => ifNotExists(name, value)),
  fc.tuple(fc.constantFrom("count", "n", "absent"), fc.constantFrom("+", "-"), whole, whole).map(
    ([name, sign, start, step]) =>
      (set) =>
        `(${ifNotExists(name, start)(set)} ${sign} ${set.value(step)})`,
  ),
  fc.tuple(attribute, whole).map(
    ([name, step]) =>
      (set) =>
        `${set.name(name)} + ${set.value(step)}`,
  ),
  fc.tuple(attribute, list).map(
    ([name, more]) =>
      (set) =>
        `list_append(${ifNotExists(name, [])(set)}, ${set.value(more)})`,
  ),
  path,
);

const assign: fc.Arbitrary<Piece> = fc
  .tuple(fc.oneof({ weight: 9, arbitrary: path }, fc.constant(plain("sk"))), setValue)
  .map(
    ([target, value]) =>
      (set) =>
        `${target(set)} = ${value(set)}`,
  );
const removal: fc.Arbitrary<Piece> = attribute.map(plain);
const operand = fc.oneof(number.filter(Number.isSafeInteger), set, set);
const change: fc.Arbitrary<Piece> = fc
  .tuple(fc.constantFrom("t", "count", "n", "absent"), operand)
  .map(
    ([name, value]) =>
      (set) =>
        `${set.name(name)} ${set.value(value)}`,
  );

const clause = (name: string, actions: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc
    .array(actions, { minLength: 1, maxLength: 3 })
    .map((list) => (set) => `${name} ${list.map((action) => action(set)).join(", ")}`);

/** One or several clauses, in any order, of which some overlap or do not fit the item. */
export const arbitraryUpdate: fc.Arbitrary<Piece> = fc
  .tuple(
    clause("SET", assign),
    clause("REMOVE", removal),
    clause("ADD", change),
    clause("DELETE", change),
    fc.subarray([0, 1, 2, 3], { minLength: 1, maxLength: 2 }),
  )
  .map(([a, b, c, d, chosen]) => (set) => {
    const clauses = [a, b, c, d];
    return chosen.map((index) => clauses[index]?.(set)).join(" ");
  });

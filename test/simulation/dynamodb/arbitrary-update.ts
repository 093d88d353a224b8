import * as fc from "fast-check";
import {
  attribute,
  list,
  literal,
  map,
  type Piece,
  path,
  scalar,
  set,
} from "./arbitrary-expression.ts";

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
    ([name, sign, start, step]): Piece =>
      (set) =>
        `(${ifNotExists(name, start)(set)} ${sign} ${set.value(step)})`,
  ),
  fc.tuple(fc.constantFrom("count", "n"), whole).map(
    ([name, step]): Piece =>
      (set) =>
        `${set.name(name)} + ${set.value(step)}`,
  ),
  fc.tuple(fc.constantFrom("l", "l", "l", "any"), list).map(
    ([name, more]): Piece =>
      (set) =>
        `list_append(${ifNotExists(name, [])(set)}, ${set.value(more)})`,
  ),
  attribute.map(plain),
);

const target: fc.Arbitrary<Piece> = fc.oneof({ weight: 12, arbitrary: attribute.map(plain) }, path);
const assign: fc.Arbitrary<Piece> = fc.tuple(target, setValue).map(
  ([target, value]) =>
    (set) =>
      `${target(set)} = ${value(set)}`,
);
const removal: fc.Arbitrary<Piece> = attribute.map(plain);
const change: fc.Arbitrary<Piece> = fc
  .oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom("count", "n", "fresh"), whole as fc.Arbitrary<unknown>),
    },
    { weight: 3, arbitrary: fc.tuple(fc.constant("t"), set as fc.Arbitrary<unknown>) },
    fc.tuple(attribute, fc.oneof(whole, set) as fc.Arbitrary<unknown>),
  )
  .map(
    ([name, value]): Piece =>
      (set) =>
        `${set.name(name)} ${set.value(value)}`,
  );

const clause = (name: string, actions: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc
    .array(actions, { minLength: 1, maxLength: 2 })
    .map((list) => (set) => `${name} ${list.map((action) => action(set)).join(", ")}`);

/** One or several clauses in any order. Some overlap or do not fit the item. */
export const arbitraryUpdate: fc.Arbitrary<Piece> = fc
  .tuple(
    clause("SET", assign),
    clause("REMOVE", removal),
    clause("ADD", change),
    clause(
      "DELETE",
      set.map(
        (value) => (placeholders) => `${placeholders.name("t")} ${placeholders.value(value)}`,
      ),
    ),
    fc.subarray([0, 1, 2, 3], { minLength: 1, maxLength: 2 }),
  )
  .map(([a, b, c, d, chosen]) => (set) => {
    const clauses = [a, b, c, d];
    return chosen.map((index) => clauses[index]?.(set)).join(" ");
  });

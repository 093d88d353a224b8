import { validationError } from "./aws-error.ts";
import { compare, equal } from "./order.ts";
import { getAt, type PathExpression } from "./path.ts";
import type { Scope } from "./tokens.ts";
import { type Item, isList, isMap, isSet, type Kind, kindOf, type Value } from "./value.ts";

export type Node = {
  /** @throws ValidationException for operands whose types can never fit */
  check(scope: Scope): void;
  test(item: Item | undefined, scope: Scope): boolean;
};

export type Operand = {
  readonly kind: "path" | "size" | "value";
  /** Returns a text for the place. Equal texts mean the same place. */
  readonly place: (scope: Scope) => string;
  /** Returns undefined when the attribute does not exist or has no size. */
  readonly get: (item: Item | undefined, scope: Scope) => Value | undefined;
};

export const operands = {
  path: (path: PathExpression): Operand => ({
    kind: "path",
    place: (scope) => JSON.stringify(path(scope)),
    get: (item, scope) => getAt(item, path(scope)),
  }),
  size: (path: PathExpression): Operand => ({
    kind: "size",
    place: (scope) => `size ${JSON.stringify(path(scope))}`,
    get: (item, scope) => sizeOf(getAt(item, path(scope))),
  }),
  value: (name: string): Operand => ({
    kind: "value",
    place: () => name,
    get: (_, { values }) => values[name],
  }),
};

/** A string counts in UTF-16 units, as in DynamoDB Local. AWS does not document this. */
const sizeOf = (value: Value | undefined): number | undefined => {
  if (typeof value === "string" || value instanceof Uint8Array || isList(value)) {
    return value.length;
  }
  if (isSet(value)) return value.size;
  return isMap(value) ? Object.keys(value).length : undefined;
};

const ordered: readonly Kind[] = ["S", "N", "B"];

/** Refuses a literal of a type that the operator never accepts. */
const demand = (operand: Operand, kinds: readonly Kind[], scope: Scope): void => {
  const value = operand.kind === "value" ? operand.get(undefined, scope) : undefined;
  if (value === undefined || kinds.includes(kindOf(value))) return;
  throw validationError(`Incorrect operand type for operator or function: ${kindOf(value)}`);
};

const demandDistinct = (first: Operand, others: readonly Operand[], scope: Scope): void => {
  if (first.kind === "value") return;
  const place = first.place(scope);
  if (others.every((other) => other.place(scope) !== place)) return;
  throw validationError("The first operand must be distinct from the remaining operands");
};

const verdicts: Readonly<Record<string, (difference: number) => boolean>> = {
  "<": (difference) => difference < 0,
  "<=": (difference) => difference <= 0,
  ">": (difference) => difference > 0,
  ">=": (difference) => difference >= 0,
};

const inOrder = (a: Value | undefined, b: Value | undefined, symbol: string): boolean => {
  if (a === undefined || b === undefined) return false;
  const difference = compare(a, b);
  return difference !== undefined && verdicts[symbol]?.(difference) === true;
};

const same = (a: Value | undefined, b: Value | undefined): boolean =>
  a !== undefined && b !== undefined && equal(a, b);

export const compareNodes = {
  compare: (symbol: string, left: Operand, right: Operand): Node => ({
    check: (scope) => {
      demandDistinct(left, [right], scope);
      if (symbol === "=" || symbol === "<>") return;
      demand(left, ordered, scope);
      demand(right, ordered, scope);
    },
    test: (item, scope) => {
      const [a, b] = [left.get(item, scope), right.get(item, scope)];
      if (symbol === "=") return same(a, b);
      return symbol === "<>" ? !same(a, b) : inOrder(a, b, symbol);
    },
  }),
  between: (operand: Operand, low: Operand, high: Operand): Node => ({
    check: (scope) => {
      demandDistinct(operand, [low, high], scope);
      for (const each of [operand, low, high]) demand(each, ordered, scope);
      if (low.kind !== "value" || high.kind !== "value") return;
      if (inOrder(low.get(undefined, scope), high.get(undefined, scope), "<=")) return;
      throw validationError("The BETWEEN operator requires bounds of one type, lower one first");
    },
    test: (item, scope) => {
      const value = operand.get(item, scope);
      return (
        inOrder(value, low.get(item, scope), ">=") && inOrder(value, high.get(item, scope), "<=")
      );
    },
  }),
  in: (operand: Operand, choices: readonly Operand[]): Node => ({
    check: (scope) => demandDistinct(operand, choices, scope),
    test: (item, scope) => {
      const value = operand.get(item, scope);
      return choices.some((choice) => same(value, choice.get(item, scope)));
    },
  }),
};

export const functionNodes = {
  attribute_exists: (path: PathExpression): Node => ({
    check: () => {},
    test: (item, scope) => getAt(item, path(scope)) !== undefined,
  }),
  attribute_not_exists: (path: PathExpression): Node => ({
    check: () => {},
    test: (item, scope) => getAt(item, path(scope)) === undefined,
  }),
  attribute_type: (path: PathExpression, type: Operand): Node => ({
    check: (scope) => {
      const name = type.get(undefined, scope);
      if (typeof name === "string" && typeNames.has(name)) return;
      throw validationError(`Invalid attribute type name found: ${String(name)}`);
    },
    test: (item, scope) => {
      const value = getAt(item, path(scope));
      return value !== undefined && kindOf(value) === type.get(item, scope);
    },
  }),
  begins_with: (path: PathExpression, prefix: Operand): Node => ({
    check: (scope) => demand(prefix, ["S", "B"], scope),
    test: (item, scope) => beginsWith(getAt(item, path(scope)), prefix.get(item, scope)),
  }),
  contains: (path: PathExpression, operand: Operand): Node => ({
    check: (scope) => demand(operand, ordered, scope),
    test: (item, scope) => contains(getAt(item, path(scope)), operand.get(item, scope)),
  }),
};

const typeNames = new Set(["S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M"]);

const beginsWith = (value: Value | undefined, prefix: Value | undefined): boolean => {
  if (typeof value === "string") return typeof prefix === "string" && value.startsWith(prefix);
  if (!(value instanceof Uint8Array) || !(prefix instanceof Uint8Array)) return false;
  return compare(value.subarray(0, prefix.length), prefix) === 0;
};

const contains = (whole: Value | undefined, part: Value | undefined): boolean => {
  if (whole === undefined || part === undefined) return false;
  if (typeof whole === "string") return typeof part === "string" && whole.includes(part);
  if (isList(whole)) return whole.some((each) => equal(each, part));
  if (whole instanceof Uint8Array) {
    return part instanceof Uint8Array && Buffer.from(whole).includes(Buffer.from(part));
  }
  return isSet(whole) && [...whole].some((each) => each === part);
};

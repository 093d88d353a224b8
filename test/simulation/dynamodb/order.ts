import { type AnySet, isList, isSet, kindOf, type Value, type ValueMap } from "./value.ts";

/**
 * Compares values as DynamoDB does: equal type and equal content. Sets and maps are compared
 * without regard to order.
 */
export const equal = (a: Value | undefined, b: Value | undefined): boolean => {
  if (a === b) return true;
  if (a === undefined || b === undefined || a === null || b === null) return false;
  if (typeof a !== "object" || typeof b !== "object" || kindOf(a) !== kindOf(b)) return false;
  if (a instanceof Uint8Array) return compare(a, b) === 0;
  if (isList(a)) return isList(b) && equalLists(a, b);
  if (isSet(a)) return isSet(b) && equalSets(a, b);
  return equalMaps(a as ValueMap, b as ValueMap);
};

/**
 * Returns less than 0, 0 or more than 0: strings by their UTF-8 bytes, numbers by value, binary by
 * bytes. Returns undefined when the types differ or have no order.
 */
export const compare = (a: Value, b: Value): number | undefined => {
  if (typeof a === "string") return typeof b === "string" ? compareUtf8(a, b) : undefined;
  if (typeof a === "number") return typeof b === "number" ? a - b : undefined;
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return undefined;
  return Buffer.compare(a, b);
};

/** Compares by UTF-8 bytes. The order is that of UTF-16 units, except that surrogates come last. */
export const compareUtf8 = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
};

const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);

const equalLists = (a: readonly Value[], b: readonly Value[]): boolean =>
  a.length === b.length && a.every((value, index) => equal(value, b[index]));

const equalSets = (a: AnySet, b: AnySet): boolean =>
  a.size === b.size && [...a].every((member) => b.has(member));

const equalMaps = (a: ValueMap, b: ValueMap): boolean => {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]))
  );
};

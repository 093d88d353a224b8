/** A DynamoDB value in the document client's form. */
export type Value =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | ReadonlySet<string>
  | ReadonlySet<number>
  | readonly Value[]
  | { readonly [name: string]: Value };

/** A set of any element type. */
export type AnySet = ReadonlySet<string | number>;

export type Item = { readonly [name: string]: Value };
export type ValueMap = { readonly [name: string]: Value };
export type Kind = "S" | "N" | "BOOL" | "NULL" | "B" | "SS" | "NS" | "L" | "M";

/**
 * Returns a deep copy as the table would store it. A lone surrogate becomes U+FFFD as in UTF-8,
 * minus zero becomes zero, and a Buffer becomes a Uint8Array.
 * @throws TypeError or RangeError for what the document client cannot marshal or the fake does not
 * support: undefined, NaN, unsafe integers, bigint, dates, class instances, binary sets.
 */
export const copyValue = (value: unknown): Value => {
  switch (typeof value) {
    case "string":
      return value.toWellFormed();
    case "number":
      return copyNumber(value);
    case "boolean":
      return value;
    case "object":
      return value === null ? null : copyObject(value);
    default:
      throw new TypeError(`cannot marshal ${typeof value}`);
  }
};

export const isMap = (value: Value | undefined): value is ValueMap =>
  value !== undefined && kindOf(value) === "M";

export const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);

export const isSet = (value: unknown): value is AnySet => value instanceof Set;

export const kindOf = (value: Value): Kind => {
  if (typeof value === "string") return "S";
  if (typeof value === "number") return "N";
  if (typeof value === "boolean") return "BOOL";
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return "B";
  if (Array.isArray(value)) return "L";
  if (!isSet(value)) return "M";
  for (const member of value) return typeof member === "string" ? "SS" : "NS";
  throw new TypeError("a set cannot be empty");
};

export type AttributeValue =
  | { S: string }
  | { N: string }
  | { BOOL: boolean }
  | { NULL: true }
  | { B: Uint8Array }
  | { SS: string[] }
  | { NS: string[] }
  | { L: AttributeValue[] }
  | { M: Record<string, AttributeValue> };

/**
 * Returns an item in the wire format, in which errors carry it even through the document client.
 */
export const toAttributeValues = (item: Item): Record<string, AttributeValue> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, toAttributeValue(value)]));

const toAttributeValue = (value: Value): AttributeValue => {
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (value === null) return { NULL: true };
  if (value instanceof Uint8Array) return { B: value.slice() };
  if (isList(value)) return { L: value.map(toAttributeValue) };
  if (!isSet(value)) return { M: toAttributeValues(value as ValueMap) };
  if (kindOf(value) === "SS") return { SS: [...value].map(String).sort() };
  return {
    NS: [...value]
      .map(Number)
      .sort((a, b) => a - b)
      .map(String),
  };
};

const copyNumber = (value: number): number => {
  if (!Number.isFinite(value)) throw new RangeError(`cannot marshal ${value}`);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(`Number ${value} is greater than Number.MAX_SAFE_INTEGER`);
  }
  if (value !== 0 && Math.abs(value) < 1e-130) throw new RangeError(`${value} underflows`);
  return value === 0 ? 0 : value;
};

const copyObject = (value: object): Value => {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(copyValue);
  if (value instanceof Set) return copySet(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`cannot marshal an instance of ${value.constructor.name}`);
  }
  const copy: Record<string, Value> = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === "__proto__") throw new TypeError("cannot store an attribute named __proto__");
    copy[name] = copyValue(member);
  }
  return copy;
};

const copySet = (value: ReadonlySet<unknown>): Value => {
  const members = [...value].map(copyValue);
  const strings = members.filter((member) => typeof member === "string");
  if (strings.length === members.length && strings.length > 0) return new Set(strings);
  const numbers = members.filter((member) => typeof member === "number");
  if (numbers.length === members.length && numbers.length > 0) return new Set(numbers);
  throw new TypeError("a set holds one kind, strings or numbers, and at least one");
};

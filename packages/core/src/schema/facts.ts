import type { Placed } from "./identity.ts";
import { isList, isObject, pointerPart, resolve, type Schema } from "./keywords.ts";
import { isMultiple } from "./validate.ts";

/** A schema that is an object. */
export type Keywords = Exclude<Schema, boolean>;

/** A placed schema with keywords. */
export type Atom = Placed & { readonly schema: Keywords };

export const isAtom = (placed: Placed): placed is Atom => typeof placed.schema === "object";

/** A keyword of a goal that does not follow, by a pointer to it in the goal's document. */
export type Unproven = { readonly pointer: string; readonly rule: string };

/** A keyword of a goal, together with those that have a meaning only beside it. */
export type Clause = Atom & { readonly rule: string };

/** Searches for proofs about a part of a value. */
export type Inside = {
  unproven(facts: readonly Placed[], goal: Placed): readonly Unproven[];
  proves(facts: readonly Placed[], goal: Placed): boolean;
  /** Returns whether no value meets all facts. */
  refutes(facts: readonly Placed[]): boolean;
  accepts(schema: Placed, value: unknown): boolean;
};

export const VALUE_TYPES = ["null", "boolean", "number", "string", "array", "object"] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/** The schemas that say a type alone. */
export const OF_TYPE: Readonly<Record<ValueType, Schema>> = {
  null: { type: "null" },
  boolean: { type: "boolean" },
  number: { type: "number" },
  string: { type: "string" },
  array: { type: "array" },
  object: { type: "object" },
};

/** Returns a schema of a placed one, at a path of keywords below it. */
export const part = (
  of: Placed,
  schema: unknown,
  ...path: readonly (string | number)[]
): Placed => ({
  schema: schema as Schema,
  root: of.root,
  pointer: `${of.pointer}${path.map((each) => `/${pointerPart(String(each))}`).join("")}`,
});

/** Returns the pointer to what contains a part. */
export const parentOf = (pointer: string): string => pointer.slice(0, pointer.lastIndexOf("/"));

/** Returns a schema of our own. It refers to nothing. */
export const own = (schema: Schema): Placed => ({ schema, root: true, pointer: "" });

export const negated = ({ schema, ...rest }: Placed): Placed => ({
  ...rest,
  schema: typeof schema === "boolean" ? !schema : { not: schema },
});

export const absent = (name: string): Placed => own({ properties: named(name, false) });
export const present = (name: string): Placed => own({ required: [name] });

/** Returns an object with one member, whose name may be that of a prototype's member. */
const named = (name: string, schema: Schema): Record<string, Schema> =>
  Object.fromEntries([[name, schema]]);

/** Returns the schema that a placed one refers to. */
export function targetOf(of: Atom): Placed | undefined {
  const { $ref } = of.schema;
  if (typeof $ref !== "string") return undefined;
  const schema = resolve(of.root, $ref) ?? true;
  return { schema, root: of.root, pointer: $ref.slice(1) };
}

const withoutMemory = new WeakMap<object, Map<string, Keywords>>();

/** Returns an atom without some of its keywords. Repeated calls return the same schema. */
export function without(atom: Atom, ...keywords: readonly string[]): Atom {
  const present = keywords.filter((keyword) => Object.hasOwn(atom.schema, keyword));
  if (present.length === 0) return atom;
  const known = withoutMemory.get(atom.schema) ?? new Map<string, Keywords>();
  withoutMemory.set(atom.schema, known);
  const key = present.join();
  const schema =
    known.get(key) ??
    Object.fromEntries(Object.entries(atom.schema).filter(([name]) => !present.includes(name)));
  known.set(key, schema);
  return { ...atom, schema };
}

/** Returns whether the `type` of each atom allows values of a type. */
export const allowsType = (known: readonly Atom[], type: ValueType): boolean =>
  known.every(({ schema }) => {
    const types = [schema.type ?? type].flat();
    return types.includes(type) || (type === "number" && types.includes("integer"));
  });

/** What is known about a number. */
export type NumberFacts = {
  readonly low: number;
  readonly lowOpen: boolean;
  readonly high: number;
  readonly highOpen: boolean;
  readonly whole: boolean;
  readonly multiples: readonly number[];
};

/**
 * Returns what atoms say about a number. A number in JSON that is too large for a double counts as
 * infinite.
 */
export function numberFacts(known: readonly Atom[]): NumberFacts {
  let [low, lowOpen, high, highOpen] = [-Infinity, false, Infinity, false];
  const multiples: number[] = [];
  let whole = false;
  for (const { schema } of known) {
    const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf, type } = schema;
    if (typeof minimum === "number" && minimum > low) [low, lowOpen] = [minimum, false];
    if (typeof exclusiveMinimum === "number" && exclusiveMinimum >= low) {
      [low, lowOpen] = [exclusiveMinimum, true];
    }
    if (typeof maximum === "number" && maximum < high) [high, highOpen] = [maximum, false];
    if (typeof exclusiveMaximum === "number" && exclusiveMaximum <= high) {
      [high, highOpen] = [exclusiveMaximum, true];
    }
    if (typeof multipleOf === "number") multiples.push(multipleOf);
    if (type !== undefined && ![type].flat().includes("number")) whole = true;
  }
  const isBounded = Number.isFinite(low) && Number.isFinite(high);
  if (isBounded && multiples.some((of) => Number.isInteger(of))) whole = true;
  if (!whole) return { low, lowOpen, high, highOpen, whole, multiples };
  return {
    ...(lowOpen && low + 1 > low
      ? { low: Math.floor(low) + 1, lowOpen: false }
      : { low: Math.ceil(low), lowOpen }),
    ...(highOpen && high - 1 < high
      ? { high: Math.ceil(high) - 1, highOpen: false }
      : { high: Math.floor(high), highOpen }),
    whole,
    multiples,
  };
}

export const isEmptyRange = ({ low, lowOpen, high, highOpen }: NumberFacts): boolean =>
  low > high || (low === high && (lowOpen || highOpen));

/** Returns whether a keyword about numbers follows from what is known. */
export function impliesNumber(facts: NumberFacts, keyword: string, of: number): boolean {
  const { low, lowOpen, high, highOpen, whole, multiples } = facts;
  switch (keyword) {
    case "minimum":
      return low >= of;
    case "maximum":
      return high <= of;
    case "exclusiveMinimum":
      return low > of || (low === of && lowOpen);
    case "exclusiveMaximum":
      return high < of || (high === of && highOpen);
    default:
      return multiples.some((each) => isMultiple(each, of)) || (whole && isMultiple(1, of));
  }
}

/** Returns the counts that atoms allow, by the keywords of the least and the most. */
export function countFacts(known: readonly Atom[], least: string, most: string) {
  let [low, high] = [0, Infinity];
  for (const { schema } of known) {
    low = Math.max(low, Number(schema[least] ?? 0));
    high = Math.min(high, Number(schema[most] ?? Infinity));
  }
  return { low, high };
}

/** Returns the least and the greatest length of a string. */
export const lengthFacts = (known: readonly Atom[]) => countFacts(known, "minLength", "maxLength");

/** Returns the names that an atom describes by themselves. */
export const declaredNames = ({ schema }: Atom): readonly string[] =>
  isObject(schema.properties) ? Object.keys(schema.properties) : [];

/**
 * Returns what an atom says about the member with a name. `undefined` means a name that no atom
 * declares.
 */
export function ofMember(atom: Atom, name: string | undefined): Placed {
  const { properties, additionalProperties = true } = atom.schema;
  return name !== undefined && isObject(properties) && Object.hasOwn(properties, name)
    ? part(atom, properties[name], "properties", name)
    : part(atom, additionalProperties, "additionalProperties");
}

/** Returns how many items an atom describes by themselves. */
export const declaredItems = ({ schema }: Atom): number =>
  isList(schema.prefixItems) ? schema.prefixItems.length : 0;

/** Returns what an atom says about the item at an index. */
export function ofItem(atom: Atom, index: number): Placed {
  const { prefixItems, items = true } = atom.schema;
  return isList(prefixItems) && index < prefixItems.length
    ? part(atom, prefixItems[index], "prefixItems", index)
    : part(atom, items, "items");
}

/** Returns the names that an object has for sure. */
export function requiredNames(known: readonly Atom[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { schema } of known) for (const name of names(schema.required)) found.add(name);
  let before = -1;
  while (found.size > before) {
    before = found.size;
    for (const { schema } of known) {
      for (const [name, with_] of Object.entries((schema.dependentRequired ?? {}) as object)) {
        if (found.has(name)) for (const each of names(with_)) found.add(each);
      }
    }
  }
  return found;
}

export const names = (list: unknown): readonly string[] => (isList(list) ? (list as string[]) : []);

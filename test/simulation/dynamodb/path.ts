import { FakeRefusal, validationError } from "./aws-error.ts";
import type { Reader, Scope } from "./tokens.ts";
import { type Item, isList, isMap, type Value } from "./value.ts";

/** The place of a value inside an item: the attribute name, then map keys and list indexes. */
export type Path = readonly (string | number)[];
export type PathExpression = (scope: Scope) => Path;

/**
 * Parses `#name`, `#name.#name` or `#name[0]`. Bare names are refused, because they may be reserved
 * words.
 */
export const parsePath = (reader: Reader): PathExpression => {
  const parts: ((scope: Scope) => string | number)[] = [parseName(reader)];
  for (;;) {
    if (reader.accept(".")) parts.push(parseName(reader));
    else if (reader.accept("[")) parts.push(parseIndex(reader));
    else break;
  }
  return (scope) => parts.map((part) => part(scope));
};

const parseName = (reader: Reader): ((scope: Scope) => string) => {
  const { kind, text } = reader.peek();
  if (kind === "word") throw new FakeRefusal(`the bare name ${text}; use a #placeholder`);
  if (kind !== "name") reader.fail();
  reader.take();
  return ({ names }) => names[text] as string;
};

const parseIndex = (reader: Reader): (() => number) => {
  const { kind, text } = reader.peek();
  if (kind !== "index") reader.fail();
  reader.take();
  reader.expect("]");
  return () => Number(text);
};

export const getAt = (item: Item | undefined, path: Path): Value | undefined => {
  let value: Value | undefined = item;
  for (const part of path) {
    if (typeof part === "number") value = isList(value) ? value[part] : undefined;
    else value = isMap(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  return value;
};

/** A mutable copy of an item for a series of updates. */
export type Draft = { [name: string]: Value };

/**
 * Sets the value at a path, or removes it when it is undefined. Every container on the way is
 * copied. A list index beyond the end appends. `removeElements` removes list elements.
 * @throws ValidationException when the parent is missing or has another type
 */
export const setAt = (draft: Draft, path: Path, value: Value | undefined): void => {
  const [name, ...rest] = path;
  if (typeof name !== "string") throw new TypeError("a path starts with a name");
  const next = rest.length === 0 ? value : replaceIn(draft[name], rest, value);
  if (next === undefined) delete draft[name];
  else draft[name] = next;
};

const replaceIn = (parent: Value | undefined, path: Path, value: Value | undefined): Value => {
  const [part, ...rest] = path;
  const below = (child: Value | undefined): Value | undefined =>
    rest.length === 0 ? value : replaceIn(child, rest, value);
  if (typeof part === "number" && isList(parent)) {
    const next = below(parent[part]);
    if (next === undefined) throw new FakeRefusal("REMOVE of a list element");
    return part >= parent.length ? [...parent, next] : parent.with(part, next);
  }
  if (typeof part === "string" && isMap(parent)) {
    const { [part]: child, ...others } = parent;
    const next = below(child);
    return next === undefined ? others : { ...others, [part]: next };
  }
  throw validationError(
    "The document path provided in the update expression is invalid for update",
  );
};

/** Returns whether one path contains the other or equals it. */
export const overlaps = (a: Path, b: Path): boolean =>
  a.slice(0, b.length).every((part, index) => part === b[index]);

import { isList, isObject, KEYWORDS, resolve, type Schema } from "./keywords.ts";

/** A schema in a document. `pointer` leads to it from the root, to which its references refer. */
export type Placed = {
  readonly schema: Schema;
  readonly root: Schema;
  readonly pointer: string;
};

/** Keywords that forbid no value by themselves. */
const SILENT: ReadonlySet<string> = new Set([
  "$defs",
  "$schema",
  "$comment",
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
]);

/**
 * Numbers schemas so that two schemas with the same number accept the same values. Schemas have the
 * same number if they and all that they refer to are the same, apart from annotations and the order
 * of members.
 */
export function createIdentities() {
  const numbers = new Map<string, number>();
  const texts = new WeakMap<object, string>();
  const known = new WeakMap<object, number>();

  function textOf(schema: Schema): string {
    if (typeof schema === "boolean") return String(schema);
    const before = texts.get(schema);
    if (before !== undefined) return before;
    const parts = Object.keys(schema)
      .filter((keyword) => !SILENT.has(keyword))
      .sort()
      .map((keyword) => `${keyword}:${textOfValue(keyword, schema[keyword])}`);
    const text = `{${parts.join()}}`;
    texts.set(schema, text);
    return text;
  }

  function textOfValue(keyword: string, value: unknown): string {
    const shape = KEYWORDS[keyword];
    if (shape === "schema") return textOf(value as Schema);
    if (shape === "schemas") return `[${(value as Schema[]).map(textOf).join()}]`;
    if (shape !== "schema map") return textOfData(value);
    const members = Object.entries(value as Record<string, Schema>).map(
      ([name, part]) => `${JSON.stringify(name)}:${textOf(part)}`,
    );
    return `{${members.sort().join()}}`;
  }

  function idOf({ schema, root }: Placed): number {
    const before = typeof schema === "object" ? known.get(schema) : undefined;
    if (before !== undefined) return before;
    const targets = [...referencesIn(root, schema)]
      .sort()
      .map((reference) => `${reference}=${textOf(resolve(root, reference) ?? true)}`);
    const text = [textOf(schema), ...targets].join("\n");
    const id = numbers.get(text) ?? numbers.size;
    numbers.set(text, id);
    if (typeof schema === "object") known.set(schema, id);
    return id;
  }

  return { idOf };
}

/** Returns all references that can be reached from a schema. */
function referencesIn(root: Schema, from: Schema): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (schema: Schema): void => {
    if (typeof schema === "boolean") return;
    for (const [keyword, value] of Object.entries(schema)) {
      const shape = KEYWORDS[keyword];
      if (shape === "reference" && typeof value === "string" && !found.has(value)) {
        found.add(value);
        visit(resolve(root, value) ?? true);
      } else if (keyword === "$defs") continue;
      else if (shape === "schema") visit(value as Schema);
      else if (shape === "schemas") for (const part of value as Schema[]) visit(part);
      else if (shape === "schema map")
        for (const part of Object.values(value as object)) visit(part);
    }
  };
  visit(from);
  return found;
}

/** Returns the same text for equal values, whatever the order of members. */
function textOfData(value: unknown): string {
  if (isList(value)) return `[${value.map(textOfData).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${textOfData(value[name])}`);
  return `{${members.join()}}`;
}

import { LIMITS } from "@eventledger/protocol";

/** A JSON Schema: true, false, or an object with keywords. */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/** What the value of a keyword has to be. */
type Shape =
  | "schema"
  | "schemas"
  | "schema map"
  | "names"
  | "name lists"
  | "count"
  | "number"
  | "positive"
  | "boolean"
  | "types"
  | "values"
  | "any"
  | "reference"
  | "dialect";

/**
 * The keywords of JSON Schema 2020-12 that are supported, with the form of their value. A schema
 * with any other keyword is refused, because ignoring it would accept what it forbids.
 */
export const KEYWORDS: Readonly<Record<string, Shape>> = {
  type: "types",
  enum: "values",
  const: "any",
  multipleOf: "positive",
  minimum: "number",
  maximum: "number",
  exclusiveMinimum: "number",
  exclusiveMaximum: "number",
  minLength: "count",
  maxLength: "count",
  items: "schema",
  prefixItems: "schemas",
  contains: "schema",
  minContains: "count",
  maxContains: "count",
  minItems: "count",
  maxItems: "count",
  uniqueItems: "boolean",
  properties: "schema map",
  additionalProperties: "schema",
  propertyNames: "schema",
  required: "names",
  minProperties: "count",
  maxProperties: "count",
  dependentRequired: "name lists",
  dependentSchemas: "schema map",
  allOf: "schemas",
  anyOf: "schemas",
  oneOf: "schemas",
  not: "schema",
  if: "schema",
  // biome-ignore lint/suspicious/noThenProperty: this is the keyword
  then: "schema",
  else: "schema",
  $ref: "reference",
  $defs: "schema map",
  $schema: "dialect",
  $comment: "any",
  title: "any",
  description: "any",
  default: "any",
  examples: "any",
  deprecated: "any",
  readOnly: "any",
  writeOnly: "any",
};

export const TYPES = ["null", "boolean", "object", "array", "number", "integer", "string"] as const;
const DIALECT = "https://json-schema.org/draft/2020-12/schema";

type Fault = { readonly pointer: string; readonly detail: string };

type Walk = { readonly root: Schema; readonly faults: Fault[]; nodes: number };

/**
 * Returns why a schema is refused, by pointers into it. Empty when it is supported. At most
 * `FAULTS_MAX` are returned.
 */
export function faultsOf(schema: unknown): readonly Fault[] {
  const walk: Walk = { root: schema as Schema, faults: [], nodes: 0 };
  visit(walk, schema, "", 0);
  if (walk.faults.length === 0) assertNoCircle(walk);
  return walk.faults.slice(0, FAULTS_MAX);
}

const FAULTS_MAX = 10;

function visit(walk: Walk, schema: unknown, pointer: string, depth: number): void {
  const refuse = (detail: string, at = pointer) => walk.faults.push({ pointer: at, detail });
  if (typeof schema === "boolean") return;
  if (!isObject(schema)) return void refuse("must be a schema: an object, true or false");
  if (depth > LIMITS.schemaDepthMax) {
    return void refuse(`must be nested at most ${LIMITS.schemaDepthMax} deep`);
  }
  if (++walk.nodes > LIMITS.schemaNodesMax) {
    if (walk.nodes === LIMITS.schemaNodesMax + 1) {
      refuse(`must have at most ${LIMITS.schemaNodesMax} schemas in it`);
    }
    return;
  }
  for (const [keyword, value] of Object.entries(schema)) {
    const at = `${pointer}/${pointerPart(keyword)}`;
    const shape = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    if (shape === undefined) refuse("is a keyword that is not supported", at);
    else if (shape === "schema") visit(walk, value, at, depth + 1);
    else if (shape === "schemas" && isList(value) && value.length > 0) {
      for (const [index, part] of value.entries()) visit(walk, part, `${at}/${index}`, depth + 1);
    } else if (shape === "schema map" && isObject(value)) {
      for (const [name, part] of Object.entries(value)) {
        visit(walk, part, `${at}/${pointerPart(name)}`, depth + 1);
      }
    } else {
      const fault = faultOfData(value) ?? faultOfValue(walk.root, shape, value);
      if (fault !== undefined) refuse(fault, at);
    }
  }
}

/** JSON allows numbers beyond doubles, which would be kept as null, and any nesting. */
function faultOfData(value: unknown, depth = 0): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return "must have no number beyond the range of doubles";
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (depth >= LIMITS.dataDepthMax) return `must be nested at most ${LIMITS.dataDepthMax} deep`;
  for (const part of Object.values(value)) {
    const fault = faultOfData(part, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const areNames = (value: unknown): boolean =>
  isList(value) &&
  value.every((name) => typeof name === "string") &&
  new Set(value).size === value.length;

function faultOfValue(root: Schema, shape: Shape, value: unknown): string | undefined {
  const must = (isRight: boolean, what: string) => (isRight ? undefined : `must be ${what}`);
  switch (shape) {
    case "schemas":
      return must(false, "a list of schemas that is not empty");
    case "schema map":
      return must(false, "an object of schemas");
    case "names":
      return must(areNames(value), "a list of names, each once");
    case "name lists":
      return must(
        isObject(value) && Object.values(value).every(areNames),
        "an object of lists of names, each once",
      );
    case "count":
      return must(isCount(value), "a whole number that is not negative");
    case "number":
      return must(typeof value === "number", "a number");
    case "positive":
      return must(typeof value === "number" && value > 0, "a number above 0");
    case "boolean":
      return must(typeof value === "boolean", "true or false");
    case "types":
      return must(
        [value].flat().every((type) => TYPES.some((known) => known === type)) &&
          areNames([value].flat()) &&
          [value].flat().length > 0,
        `one of ${TYPES.join(", ")}, or a list of them`,
      );
    case "values":
      return must(isList(value), "a list of values");
    case "reference":
      return must(
        typeof value === "string" && resolve(root, value) !== undefined,
        "# or #/$defs/ and a name that the root's $defs has",
      );
    case "dialect":
      return must(value === DIALECT, `"${DIALECT}"`);
    default:
      return undefined;
  }
}

const DEFINED = /^#\/\$defs\/([^/%]+)$/;

/** Returns the schema that a reference names: the root, or a schema in its `$defs`. */
export function resolve(root: Schema, reference: string): Schema | undefined {
  if (reference === "#") return root;
  const [, escaped] = DEFINED.exec(reference) ?? [];
  if (escaped === undefined || typeof root === "boolean" || !isObject(root.$defs)) return undefined;
  const name = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
  return Object.hasOwn(root.$defs, name) ? (root.$defs[name] as Schema) : undefined;
}

/** The keywords that apply schemas to the value itself, and not to a part of it. */
const IN_PLACE = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"];

/** Refuses a schema that refers to itself for the same value, which would never end. */
function assertNoCircle(walk: Walk): void {
  const done = new Set<Schema>();
  const under = new Set<Schema>();
  const follow = (schema: Schema): boolean => {
    if (typeof schema === "boolean" || done.has(schema)) return false;
    if (under.has(schema)) return true;
    under.add(schema);
    const { $ref } = schema;
    const target = typeof $ref === "string" ? resolve(walk.root, $ref) : undefined;
    const next = IN_PLACE.flatMap((keyword) => partsOf(schema[keyword], keyword));
    const circles = [...(target === undefined ? [] : [target]), ...next].some(follow);
    under.delete(schema);
    done.add(schema);
    return circles;
  };
  const all: Schema[] = [];
  const collect = (schema: Schema): void => {
    if (typeof schema === "boolean") return;
    all.push(schema);
    for (const [keyword, value] of Object.entries(schema)) {
      for (const part of partsOf(value, keyword)) collect(part);
    }
  };
  collect(walk.root);
  if (!all.some(follow)) return;
  walk.faults.push({ pointer: "", detail: "must not refer to itself for the same value" });
}

/** Returns the schemas in the value of a keyword. */
export function partsOf(value: unknown, keyword: string): readonly Schema[] {
  const shape = KEYWORDS[keyword];
  if (value === undefined) return [];
  if (shape === "schema") return [value as Schema];
  if (shape === "schemas") return value as Schema[];
  return shape === "schema map" ? Object.values(value as object) : [];
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Escapes a name as a part of a JSON pointer. */
export const pointerPart = (name: string): string =>
  name.replaceAll("~", "~0").replaceAll("/", "~1");

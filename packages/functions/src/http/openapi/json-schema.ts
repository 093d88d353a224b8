import { OF_MEMBERS, OF_SCHEMAS } from "./words.ts";

/** A JSON Schema (2020-12), the dialect of OpenAPI 3.1. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/**
 * The direction of a value. A value that a client sends may omit members that have a default. A
 * value in an answer contains them, and may contain members that older clients do not know.
 */
export type Way = "sent" | "answered";

/** Returns the schema that a `$ref` names. */
export type Resolve = (ref: string) => JsonSchema;

/**
 * Converts a schema as zod prints it to a form from which client generators make good code. Each
 * rule is one that a generator broke on:
 * - An integer states its size in bits (`int64`). Otherwise Java, C#, Kotlin and Go use 32.
 * - A union is `oneOf`, never `anyOf`, which some merge into one class with all members. A union of
 *   texts is a text, because no language has a union of those.
 * - A nullable scalar has two types, because a union with null is a class of its own in some.
 * - A default of a member that is sent goes into its description, because openapi-typescript treats
 *   a member with a default as required. A default of an answered member is left out.
 * - A null that only old clients send is left out: the schema is marked `nullHidden`.
 * - An object within another has a title. Otherwise its class is called `Inner1`.
 * - An answer may have members that its schema does not know. Otherwise old clients refuse new
 *   servers.
 */
export function forGenerators(
  { way, resolve }: { readonly way: Way; readonly resolve: Resolve },
  schema: JsonSchema,
  called: string,
): JsonSchema {
  const visit = (node: JsonSchema, name: string): JsonSchema => {
    const { $schema: _, $defs: __, properties, required, items, anyOf, oneOf, ...all } = node;
    const { nullHidden, ...kept } = all;
    const isUnnamed = properties !== undefined && name !== called && kept.title === undefined;
    const rest = isUnnamed ? { title: name, ...kept } : kept;
    const every = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined;
    const options = nullHidden === true ? every?.filter((option) => !isNull(option)) : every;
    const extra = rest.additionalProperties;
    const plain: Record<string, unknown> = {
      ...rest,
      ...(properties === undefined ? {} : members(properties, required, name)),
      ...(items === undefined ? {} : { items: visit(items as JsonSchema, `${name}Item`) }),
      ...(isSchema(extra)
        ? { additionalProperties: orAnything(visit(extra, `${name}Value`)) }
        : {}),
    };
    if (way === "answered" && extra === false) delete plain.additionalProperties;
    if (way === "answered" || nullHidden === true) delete plain.default;
    if (plain.format === "date-time") delete plain.pattern;
    if (isAnyText(plain.propertyNames)) delete plain.propertyNames;
    if (plain.const !== undefined) {
      plain.enum = [plain.const];
      delete plain.const;
    }
    const sized = sizedNumber(plain);
    return options === undefined ? sized : { ...union(options, name), ...sized };
  };

  const members = (properties: unknown, required: unknown, name: string) => {
    const shown = Object.entries(properties as Record<string, JsonSchema>).filter(
      ([, member]) => member.hidden !== true,
    );
    const visible = new Set(shown.map(([member]) => member));
    const needed = ((required ?? []) as string[]).filter((member) => visible.has(member));
    return {
      properties: Object.fromEntries(
        shown.map(([member, of]) => {
          const said = OF_MEMBERS[`${name}.${member}`];
          const described =
            of.description === undefined && said ? { ...of, description: said } : of;
          const made = visit(described, name + capitalized(member));
          return [member, way === "sent" ? defaultInWords(made) : made];
        }),
      ),
      ...(needed.length === 0 ? {} : { required: needed }),
    };
  };

  const union = (options: readonly JsonSchema[], name: string): JsonSchema => {
    const isNullable = options.some(isNull);
    const others = options.filter((option) => !isNull(option));
    const texts = others.filter((option) => typeOf(option) === "string");
    const [merged] = texts.length > 1 ? [mergedTexts(texts.map(resolved))] : texts;
    const kinds = [
      ...(merged === undefined ? [] : [merged]),
      ...others.filter((option) => !texts.includes(option)),
    ].map((kind) => visit(titled(kind, name), name));
    const [only] = kinds;
    if (kinds.length > 1 || only === undefined) {
      return { oneOf: isNullable ? [...kinds, { type: "null" }] : kinds };
    }
    if (!isNullable) return only;
    const scalar = visit(resolved(only), name);
    return typeof scalar.type === "string" && scalar.type !== "object"
      ? { ...scalar, type: [scalar.type, "null"] }
      : { oneOf: [only, { type: "null" }] };
  };

  const resolved = (node: JsonSchema): JsonSchema =>
    typeof node.$ref === "string" ? resolved(resolve(node.$ref)) : node;

  const typeOf = (node: JsonSchema): unknown => {
    const { type, anyOf: options } = resolved(node);
    if (!Array.isArray(options)) return type;
    return options.every((option) => typeOf(option) === "string") ? "string" : undefined;
  };

  const made = visit(schema, called);
  return made.description === undefined && OF_SCHEMAS[called] !== undefined
    ? { ...made, description: OF_SCHEMAS[called] }
    : made;
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns `true` instead of `{}`. Both allow any value, but more generators understand `true`. */
const orAnything = (schema: JsonSchema): JsonSchema | true =>
  Object.keys(schema).length === 0 || schema;

const isNull = ({ type }: JsonSchema): boolean => type === "null";

const isAnyText = (names: unknown): boolean =>
  isSchema(names) && names.type === "string" && Object.keys(names).length === 1;

const SAFE = Number.MAX_SAFE_INTEGER;
const INT32 = 2 ** 31 - 1;

/**
 * Adds the size in bits to a number. It omits the bounds of safe integers, because every integer of
 * the API is safe.
 */
function sizedNumber(schema: Readonly<Record<string, unknown>>): JsonSchema {
  if (schema.type === "number") return { ...schema, format: "double" };
  if (schema.type !== "integer") return schema;
  const { minimum, maximum, ...rest } = schema;
  const isSmall = typeof maximum === "number" && maximum <= INT32 && Number(minimum) >= -INT32;
  return {
    ...rest,
    format: isSmall ? "int32" : "int64",
    ...(minimum === undefined || minimum === -SAFE ? {} : { minimum }),
    ...(maximum === undefined || maximum === SAFE ? {} : { maximum }),
  };
}

/**
 * Merges the schemas of a union of texts into one. Enums are joined. Any other union becomes a text
 * that is not empty.
 */
function mergedTexts(texts: readonly JsonSchema[]): JsonSchema {
  const choices = texts.map(({ enum: of }) => of);
  if (choices.every(Array.isArray)) return { type: "string", enum: choices.flat() };
  return { type: "string", minLength: 1 };
}

/** Moves the default of a member into its description. */
function defaultInWords({ default: value, ...rest }: JsonSchema): JsonSchema {
  if (value === undefined) return rest;
  const said = rest.description === undefined ? "" : `${rest.description} `;
  return { ...rest, description: `${said}Default: ${JSON.stringify(value)}.` };
}

/**
 * Adds a title to an object of a union, made from the name of its first required member. Generators
 * name a class by its title.
 */
function titled(kind: JsonSchema, name: string): JsonSchema {
  const [needed] = (kind.required ?? []) as string[];
  if (kind.type !== "object" || kind.title !== undefined || needed === undefined) return kind;
  return { title: name + capitalized(needed), ...kind };
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

import * as described from "@eventledger/protocol/described";
import * as z from "zod/v4/core";
import type { SchemaName } from "../operation.ts";
import { forGenerators, type JsonSchema, type Way } from "./json-schema.ts";
import { OF_PARAMETERS } from "./words.ts";

const shapes: Readonly<Record<SchemaName, z.$ZodType>> = { ...described };

/** A parameter of an operation, in OpenAPI's form. */
export type Parameter = {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: true;
  readonly description: unknown;
  readonly schema: JsonSchema;
};

const PREFIX: Record<Way, string> = { sent: "#/sent/", answered: "#/answered/" };

/**
 * Collects the schemas that operations use. A schema with an id becomes a component. If it differs
 * between requests and answers, the one for requests is called `<id>Input`.
 */
export function createSchemas() {
  const found: Record<Way, Map<string, JsonSchema>> = { sent: new Map(), answered: new Map() };

  function print(schema: z.$ZodType, way: Way): JsonSchema {
    const io = way === "sent" ? "input" : "output";
    const printed: JsonSchema = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as never;
    const defs = (printed.$defs ?? {}) as Readonly<Record<string, JsonSchema>>;
    const resolve = (ref: string): JsonSchema => {
      const name = ref.replace(/^#\/\$defs\//, "");
      const def = defs[name];
      if (def === undefined) throw new Error(`No schema is called ${name}`);
      return def;
    };
    for (const [id, def] of Object.entries(defs)) {
      if (found[way].has(id)) continue;
      found[way].set(id, referring(forGenerators({ way, resolve }, def, id), way));
    }
    return referring(forGenerators({ way, resolve }, printed, ""), way);
  }

  return {
    sent: (schema: z.$ZodType): JsonSchema => print(schema, "sent"),
    answered: (name: SchemaName): JsonSchema => print(shapes[name], "answered"),
    sentByName: (name: SchemaName): JsonSchema => print(shapes[name], "sent"),

    /** The members of a page other than its events. */
    membersOf({ $ref }: JsonSchema): [string, JsonSchema][] {
      const page = found.answered.get(String($ref).replace(PREFIX.answered, ""));
      const { events: _, ...members } = (page?.properties ?? {}) as Record<string, JsonSchema>;
      return Object.entries(members);
    },

    /**
     * Returns the members of an object as parameters. Their types are those after text has been
     * parsed as numbers.
     */
    parameters(schema: z.$ZodType, place: Parameter["in"]): Parameter[] {
      const { required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
      const parsed: JsonSchema = z.toJSONSchema(schema, { unrepresentable: "any" }) as never;
      const defs = (parsed.$defs ?? {}) as Readonly<Record<string, JsonSchema>>;
      const members = (parsed.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
      print(schema, "sent");
      return Object.entries(members).map(([name, { description, ...member }]) => {
        const resolve = (ref: string) => defs[ref.replace(/^#\/\$defs\//, "")] ?? {};
        const named = typeof member.$ref === "string" ? resolve(member.$ref) : {};
        // Many generators ignore a default next to a reference, so the reference is replaced by its
        // schema.
        const { description: __, ...own } = "default" in member ? { ...named, ...member } : member;
        const { $ref: _, ...inlined } = own as JsonSchema;
        const of = "default" in member ? inlined : own;
        return {
          name,
          in: place,
          ...(place === "path" || required.includes(name) ? { required: true as const } : {}),
          description: description ?? OF_PARAMETERS[name] ?? named.description,
          schema: referring(forGenerators({ way: "sent", resolve }, of, capitalized(name)), "sent"),
        };
      });
    },

    parametersByName(name: SchemaName, place: Parameter["in"]): Parameter[] {
      return this.parameters(shapes[name], place);
    },

    /**
     * Returns the document with the final names of the components, and the components that it uses.
     */
    finish<T>(document: T): { document: T; components: Record<string, JsonSchema> } {
      const differing = findDiffering(found.sent, found.answered);
      const nameOf = (id: string, way: Way) =>
        way === "sent" && differing.has(id) ? `${id}Input` : id;
      const settled = <N>(node: N): N => settle(node, nameOf) as N;
      const all = new Map(
        // When the schemas for requests and answers share a name, the one for answers is kept,
        // because it allows further members.
        (["sent", "answered"] as const).flatMap((way) =>
          [...found[way]].map(([id, schema]) => [nameOf(id, way), settled(schema)] as const),
        ),
      );
      const written = settled(document);
      const needed = [...reachable(written, all)].sort();
      return {
        document: written,
        components: Object.fromEntries(needed.map((name) => [name, all.get(name) ?? {}])),
      };
    },
  };
}

export type Schemas = ReturnType<typeof createSchemas>;

/** Replaces references by placeholders until the names of the components are known. */
const referring = (schema: JsonSchema, way: Way): JsonSchema =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', `"${PREFIX[way]}`)) as JsonSchema;

/**
 * Returns the ids of schemas that differ between requests and answers. A schema also differs when a
 * schema inside it does.
 */
function findDiffering(sent: Map<string, JsonSchema>, answered: Map<string, JsonSchema>) {
  const both = [...sent].filter(([id]) => answered.has(id));
  const differing = new Set<string>();
  for (let before = -1; before < differing.size; ) {
    before = differing.size;
    for (const [id, schema] of both) {
      const refers = [...referencesIn(schema)].some((other) => differing.has(other));
      if (refers || likeness(schema) !== likeness(answered.get(id))) differing.add(id);
    }
  }
  return differing;
}

/**
 * Reduces a schema to what two schemas must share to become one component. It ignores that requests
 * refuse unknown members, because the document states that once for all requests.
 */
const likeness = (schema: JsonSchema | undefined): string =>
  JSON.stringify(schema)
    .replaceAll(/"#\/(sent|answered)\//g, '"#/')
    .replaceAll(/,"additionalProperties":false|"additionalProperties":false,?/g, "");

/** Returns the ids or names of the schemas that a node refers to. */
const referencesIn = (node: unknown): Set<string> =>
  new Set(
    [...JSON.stringify(node).matchAll(/"#\/(?:sent|answered|components\/schemas)\/([^"]+)"/g)].map(
      ([, id]) => id ?? "",
    ),
  );

function reachable(
  from: unknown,
  all: ReadonlyMap<string, JsonSchema>,
  known = new Set<string>(),
): Set<string> {
  for (const name of referencesIn(from)) {
    if (known.has(name)) continue;
    known.add(name);
    reachable(all.get(name) ?? {}, all, known);
  }
  return known;
}

function settle(node: unknown, nameOf: (id: string, way: Way) => string): unknown {
  if (Array.isArray(node)) return node.map((each) => settle(each, nameOf));
  if (typeof node === "string") {
    const [, way, id] = /^#\/(sent|answered)\/(.*)$/.exec(node) ?? [];
    return id === undefined ? node : `#/components/schemas/${nameOf(id, way as Way)}`;
  }
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) => [name, settle(value, nameOf)]),
  );
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

import fc from "fast-check";
import { resolved, type Schema } from "../contract/access/openapi-operations.ts";

/** The kind of a placeholder for something from an earlier answer. See `fill`. */
export type Kind =
  | "cursor"
  | "listCursor"
  | "id"
  | "exportId"
  | "erasureId"
  | "parkedKey"
  | "consoleFile";

/** There are few names, so that requests refer to existing streams and subscriptions. */
export const NAMES = ["fuzz-a", "fuzz-b", "fuzz-c", "fuzz.d", "other"];

export const slot = (kind: Kind) => fc.nat(50).map((n) => `{{${kind}:${n}}}`);

const TIME = fc
  .integer({ min: -30, max: 300 })
  .map((days) => new Date(Date.now() + days * 86_400_000).toISOString());

/** The places that bodies name. */
const PLACES = fc.oneof(
  fc.constantFrom("earliest", "latest"),
  TIME,
  TIME.map((timestamp) => ({ timestamp })),
  fc.constantFrom(1, 2).map((sequence) => ({ sequence })),
  slot("cursor").map((cursor) => ({ cursor })),
);

/**
 * The values of parameters that only certain values make useful. Values of all others are drawn
 * from their schema.
 */
const KNOWN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  Name: fc.constantFrom(...NAMES),
  TenantName: fc.constantFrom("fuzz-tenant", "fuzz-tenant-2"),
  StreamGlob: fc.constantFrom(...NAMES, "fuzz-*", "*"),
  Cursor: slot("cursor"),
  ListCursor: slot("listCursor"),
  Timestamp: TIME,
  Place: fc.oneof(PLACES, fc.constant("bootstrap")),
  RangePlace: PLACES,
  ReplayPlace: fc.oneof(fc.constant("earliest"), TIME),
  EventKey: fc.oneof(
    fc.constantFrom("k1", "k2", "k3"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
  ),
};

/** The pattern of the ids of exports. */
export const EXPORT_ID = /^[0-9a-f]{18}$/;
/** The pattern of the ids of erasures. */
export const ERASURE_ID = /^[0-9a-f]{24}$/;

/** Returns values that a schema of the document allows. */
export function fromSchema(schema: Schema): fc.Arbitrary<unknown> {
  const known = KNOWN[String(schema.$ref).split("/").at(-1) ?? ""];
  if (known !== undefined) return known;
  const { type, enum: choices, const: only, oneOf, ...rest } = resolved(schema);
  if (only !== undefined) return fc.constant(only);
  if (Array.isArray(choices)) return fc.constantFrom(...choices);
  if (Array.isArray(oneOf)) return fc.oneof(...(oneOf as Schema[]).map(fromSchema));
  if (Array.isArray(type))
    return fc.oneof(...type.map((each) => fromSchema({ ...rest, type: each })));
  if (type === "null") return fc.constant(null);
  if (type === "boolean") return fc.boolean();
  if (type === "integer" || type === "number") return numbers(rest);
  if (type === "string") return strings(rest);
  if (type === "array") return arrays(rest);
  if (type === "object") return objects(rest);
  return fc.jsonValue();
}

function numbers({ minimum, maximum }: Schema): fc.Arbitrary<number> {
  const min = typeof minimum === "number" ? minimum : -1_000;
  const max = typeof maximum === "number" ? maximum : 1_000_000;
  // Most numbers are small. A stream of 64 partitions is valid but slow.
  const small = fc.integer({ min, max: Math.min(max, min + 3) });
  const edges = fc.constantFrom(min, max);
  return fc.oneof({ weight: 20, arbitrary: small }, { weight: 1, arbitrary: edges });
}

function strings({ pattern, minLength, maxLength }: Schema): fc.Arbitrary<string> {
  if (pattern === "^[a-z0-9]{12}$") return slot("id");
  if (pattern === EXPORT_ID.source) return slot("exportId");
  if (pattern === ERASURE_ID.source) return slot("erasureId");
  if (typeof pattern === "string") return fc.stringMatching(new RegExp(pattern));
  const min = typeof minLength === "number" ? minLength : 0;
  const max = typeof maxLength === "number" ? maxLength : 200;
  return fc.string({ unit: "grapheme", minLength: min, maxLength: Math.max(min, max >> 3) });
}

function arrays({ items, minItems, maxItems }: Schema): fc.Arbitrary<unknown[]> {
  const minLength = typeof minItems === "number" ? minItems : 0;
  const maxLength = Math.min(typeof maxItems === "number" ? maxItems : 5, minLength + 5);
  const item = fromSchema((items ?? {}) as Schema);
  return fc.uniqueArray(item, { minLength, maxLength, selector: (each) => JSON.stringify(each) });
}

function objects({ properties = {}, required = [], additionalProperties }: Schema) {
  const members = Object.entries(properties as Record<string, Schema>);
  const model = Object.fromEntries(
    members.map(([name, of]) => [name, seldomIf(SELDOM.has(name), fromSchema(of))]),
  );
  // A commit has either a cursor or a sequence.
  const usual = "cursor" in model && "sequence" in model ? ["cursor"] : (required as string[]);
  const own = fc.record(model, { requiredKeys: usual });
  if (typeof additionalProperties !== "object" || members.length > 0) return own;
  const value = fromSchema(additionalProperties as Schema);
  return fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,9}$/), value, { maxKeys: 4 });
}

/**
 * Members that are rarely sent, because most of their values make the server refuse the request.
 */
const SELDOM = new Set(["expectedSequence"]);

export const seldomIf = (seldom: boolean, of: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  seldom
    ? fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: of })
    : of;

/**
 * The ids and cursors of earlier answers. Cursors and parked keys are also listed by their owner.
 */
export type Handed = Record<Kind, string[]> & {
  readonly cursorsOf: Map<string, string[]>;
  readonly parkedKeysOf: Map<string, string[]>;
};

/** Returns the owner of a path's cursors: a stream or a subscription. */
export const ownerOf = (path: string): string =>
  /^\/streams\/[^/?]+(\/subscriptions\/[^/?]+)?/.exec(path)?.[0] ?? "";

/** Replaces placeholders by values of earlier answers, usually those of the same owner. */
export const fill = (text: string, handed: Handed, owner: string): string =>
  text.replace(
    /\{\{(cursor|listCursor|id|exportId|erasureId|parkedKey|consoleFile):(\d+)\}\}/g,
    (_, kind: Kind, n: string) => {
      const owned = { cursor: handed.cursorsOf, parkedKey: handed.parkedKeysOf };
      const own = kind in owned ? owned[kind as keyof typeof owned].get(owner) : undefined;
      const known = (Number(n) % 4 === 0 ? undefined : own) ?? handed[kind];
      return known[Number(n) % known.length] ?? "nothing-yet-nothing-yet-nothing";
    },
  );

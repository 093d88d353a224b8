import type { BrokenRead, PutSchemas, Reads } from "@eventledger/protocol";
import { placed } from "./compatibility.ts";
import {
  type Atom,
  declaredItems,
  isAtom,
  names,
  ofItem,
  ofMember,
  own,
  part,
  targetOf,
} from "./facts.ts";
import type { Placed } from "./identity.ts";
import { createImplications, type Implications } from "./implication.ts";
import type { Schema } from "./keywords.ts";
import { TooManySteps } from "./validate.ts";

/** A subscription with the fields that it reads. */
export type Reader = { readonly name: string; readonly reads: Reads };

/**
 * Returns the fields that new schemas break. What the former schema says about a field is a promise
 * to its readers: that it is there, and which values it has. A change breaks the field unless the
 * new schema is proven to keep the promise. It also breaks a field that can no longer occur. Pure.
 */
export function brokenReads(
  former: PutSchemas,
  next: PutSchemas,
  readers: readonly Reader[],
): readonly BrokenRead[] {
  const search = createImplications();
  const known = new Map<string, string | undefined>();
  return readers.flatMap(({ name, reads }) =>
    Object.entries(reads).flatMap(([type, fields]) =>
      fields.flatMap((field) => {
        const place = JSON.stringify([type, field]);
        if (!known.has(place)) known.set(place, breakOf(search, former, next, type, field));
        const detail = known.get(place);
        return detail === undefined ? [] : [{ subscription: name, type, field, detail }];
      }),
    ),
  );
}

function breakOf(
  search: Implications,
  former: PutSchemas,
  next: PutSchemas,
  type: string,
  field: string,
): string | undefined {
  const [before, after] = [
    schemaOf(former, type) ?? placed(true),
    schemaOf(next, type) ?? ofNone(next),
  ];
  const path = field
    .split("/")
    .slice(1)
    .map((each) => each.replaceAll("~1", "/").replaceAll("~0", "~"));
  try {
    const there = own(thereIs(path));
    if (search.refutes([after, there]) && !search.refutes([before, there])) {
      return "can no longer be there";
    }
    const [broken] = search.unproven([after], promiseOf(before, path));
    if (broken === undefined) return undefined;
    const what = broken.rule === "false" ? "what is not allowed" : `the keyword ${broken.rule}`;
    return `may no longer be as the former schema says: ${what}`;
  } catch (error) {
    if (!(error instanceof TooManySteps)) throw error;
    return "takes too many steps to compare";
  }
}

function schemaOf({ schemas }: PutSchemas, type: string): Placed | undefined {
  return Object.hasOwn(schemas, type) ? placed(schemas[type]) : undefined;
}

const ofNone = ({ undeclared }: PutSchemas): Placed => placed(undeclared === "accepted");

/** `*` is each item of a list. */
const EACH = "*";
const INDEX = /^(0|[1-9]\d{0,5})$/;

/** Returns a schema of the values that have a field. */
function thereIs([step, ...rest]: readonly string[]): Schema {
  if (step === undefined) return true;
  const next = thereIs(rest);
  const member: Schema = {
    ...{ type: "object", required: [step] },
    properties: Object.fromEntries([[step, next]]),
  };
  if (step !== EACH && !INDEX.test(step)) return member;
  const at = step === EACH ? 0 : Number(step);
  const list: Schema = { type: "array", minItems: at + 1, contains: next };
  return { anyOf: [member, list] };
}

/** Returns what a schema promises about a field, and about each value that contains it. */
export function promiseOf(of: Placed, [step, ...rest]: readonly string[]): Placed {
  if (step === undefined || !isAtom(of)) return of;
  const { schema } = of;
  const inner = (each: Placed) => promiseOf(each, rest).schema;
  const same = (each: unknown) => promiseOf(part(of, each), [step, ...rest]).schema;
  const all = (list: unknown) => (list as readonly Schema[]).map(same);
  const target = targetOf(of);
  const promise: Record<string, unknown> = {
    ...pick(schema, "type", "enum", "const", "not"),
    ...(names(schema.required).includes(step) ? { required: [step] } : {}),
    properties: Object.fromEntries([[step, inner(ofMember(of, step))]]),
    ...promiseOfItems(of, step, inner),
    ...dependencies(schema, step, same),
    allOf: [...(target === undefined ? [] : [same(target.schema)]), ...all(schema.allOf ?? [])],
    ...(schema.anyOf === undefined ? {} : { anyOf: all(schema.anyOf) }),
  };
  const further: Schema[] = [];
  if (schema.oneOf !== undefined) further.push({ anyOf: all(schema.oneOf) });
  if (schema.if !== undefined) {
    const { then = true, else: otherwise = true } = schema;
    // biome-ignore lint/suspicious/noThenProperty: this is the keyword
    further.push({ if: schema.if, then: same(then), else: same(otherwise) });
  }
  return part(of, further.length === 0 ? promise : { allOf: [promise, ...further] });
}

/**
 * Returns the promise about an item of a list, or about each item. All items after those with a
 * schema of their own share one schema.
 */
function promiseOfItems(of: Atom, step: string, inner: (each: Placed) => Schema): object {
  const isEach = step === EACH;
  if (!isEach && !INDEX.test(step)) return {};
  const at = Number(step);
  const { minItems = 0 } = of.schema;
  const declared = declaredItems(of);
  const prefixItems = Array.from({ length: declared }, (_, index) =>
    isEach || index === at ? inner(ofItem(of, index)) : true,
  );
  return {
    ...(prefixItems.length === 0 ? {} : { prefixItems }),
    ...(isEach || at >= declared ? { items: inner(ofItem(of, declared)) } : {}),
    ...(isEach ? {} : { minItems: Math.min(Number(minItems), at + 1) }),
  };
}

/** What is required beside other members is a promise about the field if it is one of them. */
function dependencies(
  { dependentRequired = {}, dependentSchemas = {} }: Atom["schema"],
  step: string,
  same: (each: unknown) => Schema,
): object {
  const required = Object.entries(dependentRequired as object).map(([name, others]) => [
    ...[name, names(others).filter((each) => each === step)],
  ]);
  const schemas = Object.entries(dependentSchemas as object).map(([name, each]) => [
    ...[name, same(each)],
  ]);
  return {
    dependentRequired: Object.fromEntries(required),
    dependentSchemas: Object.fromEntries(schemas),
  };
}

const pick = (schema: Atom["schema"], ...keywords: readonly string[]): object =>
  Object.fromEntries(Object.entries(schema).filter(([keyword]) => keywords.includes(keyword)));

import { LIMITS } from "@eventledger/protocol";
import { isList, isObject, pointerPart, resolve, type Schema } from "./keywords.ts";

type Fault = { readonly pointer: string; readonly detail: string };

/** What one check of a value shares: the schema's root and the steps that are left. */
type Check = { readonly root: Schema; steps: number };

/** Thrown when a check has used up its steps. */
export class TooManySteps extends Error {}

const FAULTS_MAX = 10;

/**
 * Returns what in a value a schema forbids, by pointers into the value. The schema must be one that
 * `faultsOf` accepts. A check has a bounded number of steps, and a value that needs more is refused
 * as a whole.
 */
export function violations(schema: Schema, value: unknown): readonly Fault[] {
  const check: Check = { root: schema, steps: LIMITS.schemaStepsMax };
  try {
    return [...follow(check, schema, value, "")].slice(0, FAULTS_MAX);
  } catch (error) {
    if (!(error instanceof TooManySteps)) throw error;
    const detail = `takes more than ${LIMITS.schemaStepsMax} steps to check`;
    return [{ pointer: "", detail }];
  }
}

function follow(check: Check, schema: Schema, value: unknown, pointer: string): Fault[] {
  if (--check.steps < 0) throw new TooManySteps();
  if (schema === true) return [];
  if (schema === false) return [{ pointer, detail: "is not allowed" }];
  return [
    ...ofAnyValue(check, schema, value, pointer),
    ...(typeof value === "number" ? ofNumber(schema, value, pointer) : []),
    ...(typeof value === "string" ? ofText(check, schema, value, pointer) : []),
    ...(isList(value) ? ofList(check, schema, value, pointer) : []),
    ...(isObject(value) ? ofObject(check, schema, value, pointer) : []),
    ...ofCombination(check, schema, value, pointer),
  ];
}

type Keywords = Exclude<Schema, boolean>;

/**
 * Returns whether a schema accepts a value. Takes its steps from `check`, and throws `TooManySteps`
 * when none is left.
 */
export const accepts = (check: Check, schema: Schema, value: unknown): boolean =>
  passes(check, schema, value);

const passes = (check: Check, schema: Schema, value: unknown): boolean =>
  follow(check, schema, value, "").length === 0;

function ofAnyValue(check: Check, schema: Keywords, value: unknown, pointer: string): Fault[] {
  const { type, enum: values } = schema;
  const faults: Fault[] = [];
  const types = type === undefined ? [] : [type].flat();
  if (types.length > 0 && !types.some((name) => isOfType(value, String(name)))) {
    faults.push({ pointer, detail: `must be of type ${types.join(" or ")}` });
  }
  if (isList(values) && !values.some((one) => isSame(check, one, value))) {
    faults.push({ pointer, detail: "must be one of the values of the schema's enum" });
  }
  if (Object.hasOwn(schema, "const") && !isSame(check, schema.const, value)) {
    faults.push({ pointer, detail: `must be ${shown(schema.const)}` });
  }
  return faults;
}

const SHOWN_MAX = 60;
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_MAX ? text : "the value of the schema's const";
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return isList(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

function ofNumber(schema: Keywords, value: number, pointer: string): Fault[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const faults: Fault[] = [];
  const must = (isRight: boolean, detail: string) =>
    isRight || faults.push({ pointer, detail: `must be ${detail}` });
  if (typeof minimum === "number") must(value >= minimum, `at least ${minimum}`);
  if (typeof maximum === "number") must(value <= maximum, `at most ${maximum}`);
  if (typeof exclusiveMinimum === "number") {
    must(value > exclusiveMinimum, `more than ${exclusiveMinimum}`);
  }
  if (typeof exclusiveMaximum === "number") {
    must(value < exclusiveMaximum, `less than ${exclusiveMaximum}`);
  }
  if (typeof multipleOf === "number") {
    must(isMultiple(value, multipleOf), `a multiple of ${multipleOf}`);
  }
  return faults;
}

/** Compares the decimal digits, so that 0.3 is a multiple of 0.1. */
export function isMultiple(value: number, of: number): boolean {
  const [a, b] = [decimal(value), decimal(of)];
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = ({ digits, exponent: own }: typeof a) => digits * 10n ** BigInt(own - exponent);
  return scaled(a) % scaled(b) === 0n;
}

function decimal(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [, whole = "0", fraction = "", power = "0"] =
    /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}

function ofText(
  check: Check,
  { minLength, maxLength }: Keywords,
  value: string,
  pointer: string,
): Fault[] {
  if (minLength === undefined && maxLength === undefined) return [];
  check.steps -= Math.ceil(value.length / CHARS_PER_STEP);
  let length = 0;
  for (const _ of value) length++;
  const faults: Fault[] = [];
  if (typeof minLength === "number" && length < minLength) {
    faults.push({ pointer, detail: `must have at least ${minLength} characters` });
  }
  if (typeof maxLength === "number" && length > maxLength) {
    faults.push({ pointer, detail: `must have at most ${maxLength} characters` });
  }
  return faults;
}

const CHARS_PER_STEP = 100;

function ofList(
  check: Check,
  schema: Keywords,
  value: readonly unknown[],
  pointer: string,
): Fault[] {
  const { items, prefixItems = [], contains, minItems, maxItems, uniqueItems } = schema;
  const faults: Fault[] = [];
  const say = (detail: string) => faults.push({ pointer, detail });
  if (typeof minItems === "number" && value.length < minItems) {
    say(`must have at least ${minItems} items`);
  }
  if (typeof maxItems === "number" && value.length > maxItems) {
    say(`must have at most ${maxItems} items`);
  }
  const first = prefixItems as readonly Schema[];
  for (const [at, item] of value.entries()) {
    const of = first[at] ?? (items as Schema | undefined);
    if (of !== undefined) faults.push(...follow(check, of, item, `${pointer}/${at}`));
  }
  if (contains !== undefined) {
    const found = value.filter((item) => passes(check, contains as Schema, item)).length;
    const { minContains = 1, maxContains = Infinity } = schema;
    if (found < Number(minContains) || found > Number(maxContains)) {
      say(
        `has ${found} items that the schema's contains describes, and must have ${minContains}${maxContains === Infinity ? " or more" : ` to ${maxContains}`}`,
      );
    }
  }
  if (uniqueItems === true) {
    const texts = new Set(value.map((item) => canonical(check, item)));
    if (texts.size < value.length) say("must not contain an item twice");
  }
  return faults;
}

function ofObject(
  check: Check,
  schema: Keywords,
  value: Readonly<Record<string, unknown>>,
  pointer: string,
): Fault[] {
  const faults: Fault[] = [];
  const names = Object.keys(value);
  const has = (name: string): boolean => Object.hasOwn(value, name);
  const at = (name: string): string => `${pointer}/${pointerPart(name)}`;
  const { minProperties, maxProperties, additionalProperties, propertyNames } = schema;
  if (typeof minProperties === "number" && names.length < minProperties) {
    faults.push({ pointer, detail: `must have at least ${minProperties} members` });
  }
  if (typeof maxProperties === "number" && names.length > maxProperties) {
    faults.push({ pointer, detail: `must have at most ${maxProperties} members` });
  }
  const need = (required: unknown, because = "") => {
    for (const name of (required ?? []) as readonly string[]) {
      check.steps--;
      if (!has(name)) faults.push({ pointer: at(name), detail: `is required${because}` });
    }
  };
  need(schema.required);
  for (const [name, required] of Object.entries((schema.dependentRequired ?? {}) as object)) {
    if (has(name)) need(required, ` beside ${name}`);
  }
  const declared = (schema.properties ?? {}) as Readonly<Record<string, Schema>>;
  for (const name of names) {
    const own = Object.hasOwn(declared, name) ? declared[name] : undefined;
    const of = own ?? (additionalProperties as Schema | undefined);
    if (of !== undefined) faults.push(...follow(check, of, value[name], at(name)));
    if (propertyNames !== undefined && !passes(check, propertyNames as Schema, name)) {
      faults.push({ pointer: at(name), detail: "has a name that is not allowed" });
    }
  }
  for (const [name, of] of Object.entries((schema.dependentSchemas ?? {}) as object)) {
    if (has(name)) faults.push(...follow(check, of as Schema, value, pointer));
  }
  return faults;
}

function ofCombination(check: Check, schema: Keywords, value: unknown, pointer: string): Fault[] {
  const { $ref, allOf, anyOf, oneOf, not, if: condition } = schema;
  const faults: Fault[] = [];
  const all = (of: Schema | undefined) => {
    if (of !== undefined) faults.push(...follow(check, of, value, pointer));
  };
  if (typeof $ref === "string") all(resolve(check.root, $ref));
  for (const each of (allOf ?? []) as readonly Schema[]) all(each);
  const matching = (of: unknown) =>
    (of as readonly Schema[]).filter((one) => passes(check, one, value)).length;
  if (anyOf !== undefined && matching(anyOf) === 0) {
    faults.push({ pointer, detail: "matches none of the schemas in anyOf" });
  }
  if (oneOf !== undefined) {
    const count = matching(oneOf);
    if (count !== 1) faults.push({ pointer, detail: `matches ${count} of the schemas in oneOf` });
  }
  if (not !== undefined && passes(check, not as Schema, value)) {
    faults.push({ pointer, detail: "matches the schema in not" });
  }
  if (condition !== undefined) {
    const isMet = passes(check, condition as Schema, value);
    all((isMet ? schema.then : schema.else) as Schema | undefined);
  }
  return faults;
}

const isSame = (check: Check, a: unknown, b: unknown): boolean =>
  a === b || (typeof a === "object" && canonical(check, a) === canonical(check, b));

/** Returns the same text for equal values, whatever the order of members. */
function canonical(check: Check, value: unknown): string {
  if (--check.steps < 0) throw new TooManySteps();
  if (isList(value)) return `[${value.map((item) => canonical(check, item)).join()}]`;
  if (!isObject(value)) {
    if (typeof value === "string") check.steps -= Math.ceil(value.length / CHARS_PER_STEP);
    // A number beyond the range of doubles is Infinity, which JSON prints like null.
    return typeof value === "number" ? String(value) : JSON.stringify(value);
  }
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(check, value[name])}`);
  return `{${members.join()}}`;
}

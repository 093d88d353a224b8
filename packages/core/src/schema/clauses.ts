import { type Clause, isAtom, part, targetOf, type ValueType } from "./facts.ts";
import type { Placed } from "./identity.ts";
import type { Schema } from "./keywords.ts";

/** The keywords that say something about values of one type only. */
export const RULES_OF_TYPE: Readonly<Record<string, ValueType>> = {
  multipleOf: "number",
  minimum: "number",
  maximum: "number",
  exclusiveMinimum: "number",
  exclusiveMaximum: "number",
  minLength: "string",
  maxLength: "string",
  items: "array",
  contains: "array",
  minItems: "array",
  maxItems: "array",
  uniqueItems: "array",
  properties: "object",
  propertyNames: "object",
  required: "object",
  minProperties: "object",
  maxProperties: "object",
  dependentRequired: "object",
  dependentSchemas: "object",
};

/** Returns the keywords of a goal, each with those that have a meaning only beside it. */
export function clausesOf(goal: Placed): readonly Clause[] {
  if (!isAtom(goal)) {
    return [{ schema: { not: true }, root: true, pointer: goal.pointer, rule: "false" }];
  }
  const { schema } = goal;
  const found: Clause[] = [];
  const add = (rule: string, ...others: readonly string[]) => {
    const kept = [rule, ...others].filter((keyword) => Object.hasOwn(schema, keyword));
    const [first = rule] = kept;
    if (kept.length === 0) return;
    const only = Object.fromEntries(kept.map((keyword) => [keyword, schema[keyword]]));
    found.push({ schema: only, root: goal.root, pointer: `${goal.pointer}/${first}`, rule });
  };
  const target = targetOf(goal);
  if (target !== undefined) found.push(...clausesOf(target));
  for (const [at, each] of ((schema.allOf ?? []) as readonly Schema[]).entries()) {
    found.push(...clausesOf(part(goal, each, "allOf", at)));
  }
  for (const rule of ALONE) add(rule);
  add("properties", "additionalProperties");
  add("items", "prefixItems");
  if (schema.contains !== undefined) add("contains", "minContains", "maxContains");
  if (schema.if !== undefined) add("if", "then", "else");
  if (schema.uniqueItems === true) add("uniqueItems");
  return found;
}

const ALONE = [
  ...["type", "enum", "const", "multipleOf", "minimum", "maximum", "exclusiveMinimum"],
  ...["exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "required"],
  ...["minProperties", "maxProperties", "propertyNames", "dependentRequired", "dependentSchemas"],
  ...["anyOf", "oneOf", "not"],
];

import { validationError } from "./aws-error.ts";
import type { Scope } from "./tokens.ts";
import { copyValue, type Value } from "./value.ts";

export type Placeholders = {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>> | undefined;
};

type Uses = { readonly names: ReadonlySet<string>; readonly values: ReadonlySet<string> };

/**
 * Returns the names and values of a request. They must be exactly those that its expressions use.
 * @throws ValidationException when one is missing or unused, as DynamoDB does
 */
export const createScope = (input: Placeholders, expressions: readonly Uses[]): Scope => {
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: given = {} } = input;
  const values: Record<string, Value> = {};
  for (const name of Object.keys(given)) values[name] = copyValue(given[name]);
  let [usedNames, usedValues] = [0, 0];
  const seen = new Set<string>();
  for (const uses of expressions) {
    for (const name of uses.names) {
      if (!Object.hasOwn(names, name)) throw undefinedIn("name", name);
      if (!seen.has(name)) usedNames += 1;
      seen.add(name);
    }
    for (const name of uses.values) {
      if (!Object.hasOwn(values, name)) throw undefinedIn("value", name);
      if (!seen.has(name)) usedValues += 1;
      seen.add(name);
    }
  }
  if (usedNames < Object.keys(names).length) throw unusedIn("ExpressionAttributeNames");
  if (usedValues < Object.keys(values).length) throw unusedIn("ExpressionAttributeValues");
  return { names, values };
};

const undefinedIn = (what: string, name: string): Error =>
  validationError(`An expression attribute ${what} used in expression is not defined: ${name}`);

const unusedIn = (member: string): Error =>
  validationError(`Value provided in ${member} unused in expressions`);

import { LedgerError } from "@eventledger/core";
import * as fc from "fast-check";

/** Any white space that JSON allows. */
export const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 });

/**
 * One character of a JSON string in any of its possible spellings. It is never half of a surrogate
 * pair.
 */
const character = fc.oneof(
  fc
    .string({ unit: "binary", minLength: 1, maxLength: 1 })
    .map((c) => JSON.stringify(c).slice(1, -1)),
  fc.constantFrom('\\"', "\\\\", "\\/", "\\b", "\\u0000", "\\u00E9", "\\uD83D\\uDE00", "\u2028"),
);

const string = fc.array(character, { maxLength: 8 }).map((parts) => `"${parts.join("")}"`);

const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?$/);

const scalar = fc.oneof(fc.constantFrom("null", "true", "false"), number, string);

/**
 * The text of any JSON value, with white space inside but not around it. Member names repeat,
 * numbers exceed every number type, and characters are escaped at random.
 */
export const anyJsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => {
  const item = fc.tuple(space, tie("value"), space).map((parts) => parts.join(""));
  const name = fc.tuple(space, fc.oneof(string, fc.constant('"a"')), space);
  const member = fc.tuple(name, item).map(([parts, value]) => `${parts.join("")}:${value}`);
  const list = (open: string, of: fc.Arbitrary<string>, close: string) =>
    fc
      .tuple(fc.array(of, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([items, isEmpty]) => `${open}${isEmpty ? " " : items.join(",")}${close}`);
  return {
    value: fc.oneof({ depthSize: "small" }, scalar, list("[", item, "]"), list("{", member, "}")),
  };
}).value;

/** Returns the problem that a function throws. */
export function problemOf(run: () => unknown): LedgerError {
  try {
    run();
  } catch (error) {
    if (error instanceof LedgerError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

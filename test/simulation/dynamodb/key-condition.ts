import { FakeRefusal, validationError } from "./aws-error.ts";
import { keyText } from "./key.ts";
import { compareUtf8 } from "./order.ts";
import { type Reader, readExpression, type Scope } from "./tokens.ts";

/** A parsed KeyConditionExpression. It is cached and used for every request. */
export type KeyCondition = {
  readonly names: ReadonlySet<string>;
  readonly values: ReadonlySet<string>;
  /** @throws ValidationException when it does not refer to exactly the two keys */
  resolve(scope: Scope): KeyRange;
};

export type KeyRange = {
  readonly pk: string;
  /** All matching sort keys are at or above this one and adjacent. */
  readonly from: string;
  /** The inclusive bounds of the condition. */
  readonly low?: string;
  readonly high?: string;
  matches(sk: string): boolean;
};

/**
 * Parses `#pk = :v`, optionally followed by `AND` and one of `= < <= > >= BETWEEN begins_with` on
 * the sort key.
 */
export const parseKeyCondition = (expression: string): KeyCondition => {
  const known = parsed.get(expression);
  if (known !== undefined) return known;
  const reader = readExpression(expression);
  const pkName = placeholder(reader, "name");
  reader.expect("=");
  const pkValue = placeholder(reader, "value");
  const sort = reader.accept("AND") ? parseSort(reader) : undefined;
  if (reader.peek().kind !== "end") reader.fail();
  const condition: KeyCondition = {
    names: reader.names,
    values: reader.values,
    resolve: (scope) => {
      if (scope.names[pkName] !== "pk") throw validationError("Query condition missed key: pk");
      const pk = keyText(scope.values[pkValue], "pk");
      return { pk, ...(sort?.(scope) ?? everything) };
    },
  };
  parsed.set(expression, condition);
  return condition;
};

const parsed = new Map<string, KeyCondition>();

type SortRange = Omit<KeyRange, "pk">;

const everything: SortRange = { from: "", matches: () => true };

const parseSort = (reader: Reader): ((scope: Scope) => SortRange) => {
  const called = reader.accept("BEGINS_WITH");
  if (called) reader.expect("(");
  const name = placeholder(reader, "name");
  const symbol = called ? "begins_with" : reader.take().text.toUpperCase();
  if (called) reader.expect(",");
  const first = placeholder(reader, "value");
  if (symbol === "BETWEEN") reader.expect("AND");
  const second = symbol === "BETWEEN" ? placeholder(reader, "value") : first;
  if (called) reader.expect(")");
  return ({ names, values }) => {
    if (names[name] !== "sk") throw validationError("Query condition missed key: sk");
    return sortRange(symbol, keyText(values[first], "sk"), keyText(values[second], "sk"));
  };
};

const sortRange = (symbol: string, low: string, high: string): SortRange => {
  switch (symbol) {
    case "=":
      return { from: low, matches: (sk) => sk === low };
    case "<":
      return { from: "", matches: (sk) => compareUtf8(sk, low) < 0 };
    case "<=":
      return { from: "", high, matches: (sk) => compareUtf8(sk, high) <= 0 };
    case ">":
      return { from: low, matches: (sk) => compareUtf8(sk, low) > 0 };
    case ">=":
      return { from: low, low, matches: (sk) => compareUtf8(sk, low) >= 0 };
    case "begins_with":
      return { from: low, matches: (sk) => sk.startsWith(low) };
    case "BETWEEN":
      if (compareUtf8(low, high) > 0) throw validationError("BETWEEN wants the lower bound first");
      return {
        from: low,
        low,
        high,
        matches: (sk) => compareUtf8(sk, low) >= 0 && compareUtf8(sk, high) <= 0,
      };
    default:
      throw validationError(`Query key condition not supported: ${symbol}`);
  }
};

const placeholder = (reader: Reader, kind: "name" | "value"): string => {
  const token = reader.peek();
  if (kind === "name" && token.kind === "word") {
    throw new FakeRefusal(`the bare name ${token.text}; use a #placeholder`);
  }
  if (token.kind !== kind) reader.fail();
  return reader.take().text;
};

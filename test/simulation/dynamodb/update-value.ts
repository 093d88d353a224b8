import { FakeRefusal, validationError } from "./aws-error.ts";
import { getAt, parsePath } from "./path.ts";
import type { Reader, Scope } from "./tokens.ts";
import { type Item, isList, type Value } from "./value.ts";

/** The right side of one SET. */
export type SetValue = {
  /** @throws ValidationException for a literal of a type that can never fit */
  check(scope: Scope): void;
  /** @throws ValidationException when an attribute is missing or of the wrong type */
  get(before: Item, scope: Scope): Value;
};

/** DynamoDB calculates with 38 decimal digits. A double is exact only for safe integers. */
export const safeInteger = (value: number): number => {
  if (!Number.isSafeInteger(value)) throw new FakeRefusal(`arithmetic that gives ${value}`);
  return value === 0 ? 0 : value;
};

type Operand = SetValue & {
  /** Returns the literal, if the operand is one. */
  readonly literal: (scope: Scope) => Value | undefined;
};

/** Parses `operand`, `operand + operand` or `operand - operand`, with or without parentheses. */
export const parseSetValue = (reader: Reader): SetValue => {
  if (reader.accept("(")) {
    const value = parseSetValue(reader);
    reader.expect(")");
    return value;
  }
  const left = parseOperand(reader);
  const sign = reader.accept("+") ? 1 : reader.accept("-") ? -1 : 0;
  if (sign === 0) return left;
  const right = parseOperand(reader);
  return {
    check: (scope) => {
      for (const operand of [left, right]) {
        operand.check(scope);
        demand(operand.literal(scope), (value) => typeof value === "number");
      }
    },
    get: (before, scope) => {
      const [a, b] = [left.get(before, scope), right.get(before, scope)];
      if (typeof a !== "number" || typeof b !== "number") throw wrongType();
      return safeInteger(a + sign * b);
    },
  };
};

const parseOperand = (reader: Reader): Operand => {
  const { kind, text } = reader.peek();
  if (kind === "value") {
    reader.take();
    const literal = ({ values }: Scope): Value | undefined => values[text];
    return { check: () => {}, literal, get: (_, scope) => literal(scope) as Value };
  }
  if (kind !== "word") return attribute(reader);
  reader.take();
  reader.expect("(");
  const operand = text === "if_not_exists" ? ifNotExists(reader) : listAppend(reader, text);
  reader.expect(")");
  return operand;
};

const attribute = (reader: Reader): Operand => {
  const path = parsePath(reader);
  return {
    check: () => {},
    literal: () => undefined,
    get: (before, scope) => {
      const value = getAt(before, path(scope));
      if (value !== undefined) return value;
      throw validationError(
        "The provided expression refers to an attribute that does not exist in the item",
      );
    },
  };
};

const ifNotExists = (reader: Reader): Operand => {
  const path = parsePath(reader);
  reader.expect(",");
  const otherwise = parseOperand(reader);
  return {
    check: otherwise.check,
    literal: otherwise.literal,
    get: (before, scope) => {
      const value = getAt(before, path(scope));
      return value === undefined ? otherwise.get(before, scope) : value;
    },
  };
};

const listAppend = (reader: Reader, name: string): Operand => {
  if (name !== "list_append") throw new FakeRefusal(`the function ${name} in an update`);
  const first = parseOperand(reader);
  reader.expect(",");
  const second = parseOperand(reader);
  return {
    literal: () => undefined,
    check: (scope) => {
      for (const operand of [first, second]) {
        operand.check(scope);
        demand(operand.literal(scope), isList);
      }
    },
    get: (before, scope) => {
      const [a, b] = [first.get(before, scope), second.get(before, scope)];
      if (!isList(a) || !isList(b)) throw wrongType();
      return [...a, ...b];
    },
  };
};

const demand = (literal: Value | undefined, fits: (value: Value) => boolean): void => {
  if (literal !== undefined && !fits(literal)) {
    throw validationError("Incorrect operand type for operator or function");
  }
};

export const wrongType = (): Error =>
  validationError("An operand in the update expression has an incorrect data type");

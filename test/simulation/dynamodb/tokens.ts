import { validationError } from "./aws-error.ts";
import type { Value } from "./value.ts";

export type Token = {
  readonly kind: "name" | "value" | "word" | "index" | "symbol" | "end";
  readonly text: string;
};

/**
 * The names and values that an expression may refer to. Values are copies, as the table would store
 * them.
 */
export type Scope = {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, Value>>;
};

/** Reads one expression from left to right and records every placeholder in it. */
export type Reader = {
  readonly names: ReadonlySet<string>;
  readonly values: ReadonlySet<string>;
  peek(): Token;
  /** Takes the next token of any kind. */
  take(): Token;
  /** Takes the next token if it is this symbol, or this keyword in any case. */
  accept(text: string): boolean;
  /** @throws ValidationException when the next token is a different one */
  expect(text: string): void;
  /** @throws ValidationException that names the next token */
  fail(): never;
};

const pattern =
  /\s*(?:(?<name>#\w+)|(?<value>:\w+)|(?<word>[A-Za-z_]\w*)|(?<index>\d+)|(?<symbol><>|<=|>=|[-+=<>(),.[\]]))/gy;

export const readExpression = (expression: string): Reader => {
  const tokens = tokenize(expression);
  const names = new Set<string>();
  const values = new Set<string>();
  let position = 0;
  const peek = (): Token => tokens[position] ?? end;
  const fail = (): never => {
    throw validationError(`Invalid expression: Syntax error; token: "${peek().text}"`);
  };
  const take = (): Token => {
    const token = peek();
    position += 1;
    if (token.kind === "name") names.add(token.text);
    if (token.kind === "value") values.add(token.text);
    return token;
  };
  const accept = (text: string): boolean => {
    const { kind, text: found } = peek();
    if ((kind !== "word" && kind !== "symbol") || found.toUpperCase() !== text) return false;
    position += 1;
    return true;
  };
  const expect = (text: string): void => {
    if (!accept(text)) fail();
  };
  return { names, values, peek, take, accept, expect, fail };
};

const end: Token = { kind: "end", text: "<EOF>" };

const tokenize = (expression: string): Token[] => {
  const tokens: Token[] = [];
  const text = expression.trimEnd();
  pattern.lastIndex = 0;
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) {
      throw validationError(`Invalid expression: Syntax error near: "${text.slice(from)}"`);
    }
    for (const kind of ["name", "value", "word", "index", "symbol"] as const) {
      const found = groups[kind];
      if (found !== undefined) tokens.push({ kind, text: found });
    }
  }
  return tokens;
};

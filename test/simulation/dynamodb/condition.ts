import { FakeRefusal, validationError } from "./aws-error.ts";
import {
  compareNodes,
  functionNodes,
  type Node,
  type Operand,
  operands,
} from "./condition-nodes.ts";
import { parsePath } from "./path.ts";
import { type Reader, readExpression } from "./tokens.ts";

/** A parsed ConditionExpression or FilterExpression. It is cached and used for every request. */
export type Condition = Node & {
  readonly names: ReadonlySet<string>;
  readonly values: ReadonlySet<string>;
};

/**
 * Parses a condition. Precedence, lowest first: OR, AND, NOT, then comparison, BETWEEN, IN,
 * function or parentheses.
 * @throws ValidationException for a syntax error, FakeRefusal for a feature of DynamoDB that the
 * fake lacks
 */
export const parseCondition = (expression: string): Condition => {
  const known = parsed.get(expression);
  if (known !== undefined) return known;
  const reader = readExpression(expression);
  const node = parseOr(reader);
  if (reader.peek().kind !== "end") reader.fail();
  const condition = { ...node, names: reader.names, values: reader.values };
  parsed.set(expression, condition);
  return condition;
};

const parsed = new Map<string, Condition>();

const parseOr = (reader: Reader): Node => {
  let left = parseAnd(reader);
  while (reader.accept("OR")) {
    const [a, b] = [left, parseAnd(reader)];
    left = join(a, b, (item, scope) => a.test(item, scope) || b.test(item, scope));
  }
  return left;
};

const parseAnd = (reader: Reader): Node => {
  let left = parseNot(reader);
  while (reader.accept("AND")) {
    const [a, b] = [left, parseNot(reader)];
    left = join(a, b, (item, scope) => a.test(item, scope) && b.test(item, scope));
  }
  return left;
};

const join = (a: Node, b: Node, test: Node["test"]): Node => ({
  test,
  check: (scope) => {
    a.check(scope);
    b.check(scope);
  },
});

const parseNot = (reader: Reader): Node => {
  if (!reader.accept("NOT")) return parsePrimary(reader);
  const node = parseNot(reader);
  return { check: node.check, test: (item, scope) => !node.test(item, scope) };
};

const parsePrimary = (reader: Reader): Node => {
  if (reader.accept("(")) return parseGroup(reader);
  const { kind, text } = reader.peek();
  if (kind === "word" && text !== "size") return parseFunction(reader);
  const left = parseOperand(reader);
  if (reader.accept("BETWEEN")) {
    const low = parseOperand(reader);
    reader.expect("AND");
    return compareNodes.between(left, low, parseOperand(reader));
  }
  if (reader.accept("IN")) {
    reader.expect("(");
    const choices = parseList(reader, parseOperand);
    return compareNodes.in(left, choices);
  }
  const symbol = reader.take().text;
  if (!["=", "<>", "<", "<=", ">", ">="].includes(symbol)) reader.fail();
  return compareNodes.compare(symbol, left, parseOperand(reader));
};

const parseGroup = (reader: Reader): Node => {
  const inner = parseOr(reader);
  reader.expect(")");
  if (groups.has(inner)) throw validationError("The expression has redundant parentheses");
  const group = { ...inner };
  groups.add(group);
  return group;
};

const groups = new WeakSet<Node>();

const parseFunction = (reader: Reader): Node => {
  const { text } = reader.take();
  reader.expect("(");
  const path = parsePath(reader);
  if (text === "attribute_exists" || text === "attribute_not_exists") {
    reader.expect(")");
    return functionNodes[text](path);
  }
  if (text !== "begins_with" && text !== "contains" && text !== "attribute_type") {
    throw new FakeRefusal(`the function ${text} in a condition`);
  }
  reader.expect(",");
  const operand = parseOperand(reader);
  reader.expect(")");
  return functionNodes[text](path, operand);
};

const parseOperand = (reader: Reader): Operand => {
  const { kind, text } = reader.peek();
  if (kind === "value") {
    return operands.value(reader.take().text);
  }
  if (text !== "size") return operands.path(parsePath(reader));
  reader.take();
  reader.expect("(");
  const path = parsePath(reader);
  reader.expect(")");
  return operands.size(path);
};

const parseList = <T>(reader: Reader, parse: (reader: Reader) => T): T[] => {
  const list = [parse(reader)];
  while (reader.accept(",")) list.push(parse(reader));
  reader.expect(")");
  return list;
};

import { parseAst } from "vitest/node";

/** One small change of a source file. */
export type Change = {
  /** Describes the change. It is unique within the file: `never: a === b`. */
  readonly name: string;
  readonly line: number;
};

/**
 * A source file that contains all of its changes. A change is active while `__changed` returns true
 * for its number.
 */
export type Changeable = { readonly changes: readonly Change[]; readonly code: string };

type Node = { readonly type: string; readonly start: number; readonly end: number } & {
  readonly [member: string]: unknown;
};
type Edit = { readonly start: number; readonly end: number; readonly text: string };

/**
 * Finds the possible changes of a file: conditions and their clauses, the edges of comparisons,
 * statements without a value, defaults, and the conditions of writes to the table. All changes are
 * inserted at once, so each file is compiled only once. Numbers begin at `from`.
 */
export function findChanges(path: string, source: string, from = 0): Changeable {
  const program = parseAst(source, { lang: "ts", preserveParens: true }, path) as unknown as Node;
  const changes: Change[] = [];
  const edits: Edit[] = [];
  const insert = (at: number, text: string) => edits.push({ start: at, end: at, text });
  const textOf = ({ start, end }: Pick<Node, "start" | "end">) =>
    source.slice(start, end).replace(/\s+/g, " ");
  const times = new Map<string, number>();

  /** Records a change and returns its switch as an expression. */
  const add = (kind: string, node: Node): string => {
    const said = `${kind}: ${textOf(node)}`;
    const nth = (times.get(said) ?? 0) + 1;
    times.set(said, nth);
    const line = source.slice(0, node.start).split("\n").length;
    changes.push({ name: nth === 1 ? said : `${said} (${nth})`, line });
    return `__changed(${from + changes.length - 1})`;
  };

  const visit = (node: Node, parent: Node | undefined, role: string): void => {
    const wraps = wrapsOf(node, parent, role, add);
    for (const [head] of wraps) insert(node.start, head);
    for (const edit of replacementsOf(node, parent, source, add)) edits.push(edit);
    for (const [child, key] of childrenOf(node)) visit(child, node, key);
    for (const [, tail] of wraps.toReversed()) insert(node.end, tail);
  };
  visit(program, undefined, "");
  return { changes, code: splice(source, edits) };
}

type Wrap = readonly [head: string, tail: string];
type Add = (kind: string, node: Node) => string;

/** Returns the text to insert around a node, the outermost first. */
function wrapsOf(node: Node, parent: Node | undefined, role: string, add: Add): Wrap[] {
  const wraps: Wrap[] = [];
  const force = (value: string, kind: string) =>
    wraps.push([`(${add(kind, node)} ? ${value} : (`, "))"]);
  const isLoop = /^(For|While|DoWhile)Statement$/.test(parent?.type ?? "");
  const { operator } = node as { operator?: string };
  if (role === "test" || (isVerdict(node) && !isPartOfVerdict(parent, role))) {
    // A condition with several clauses is changed clause by clause.
    if (!isLoop && operator !== "&&") force("true", "always");
    if (operator !== "||") force("false", "never");
  }
  if (parent?.type === "LogicalExpression" && operator !== parent.operator) {
    if (parent.operator === "&&") force("true", "without");
    if (parent.operator === "||") force("false", "without");
    if (parent.operator === "??" && role === "left") force("undefined", "none");
  }
  if (node.type === "ExpressionStatement" && isDeed(node.expression as Node)) {
    // The outer braces keep an `else` with its own `if`.
    wraps.push([`{ if (!${add("drop", node)}) { `, " } }"]);
  }
  if (node.type === "CallExpression" && CLAUSES.has(nameOf(node.callee as Node))) {
    force('"attribute_exists(pk)"', "without condition");
  }
  const other = EDGES[operator ?? ""];
  if (node.type === "BinaryExpression" && other !== undefined) {
    wraps.push([`__edge(${add("edge", node)}, "${operator}", `, ")"]);
  }
  if (node.type === "Literal" && "regex" in node) {
    const { pattern, flags } = node.regex as { pattern: string; flags: string };
    if (pattern.startsWith("^")) force(`/${pattern.slice(1)}/${flags}`, "open beginning");
    if (/[^\\]\$$/.test(pattern)) force(`/${pattern.slice(0, -1)}/${flags}`, "open end");
  }
  return wraps;
}

/** Returns the replacements within a node. */
function replacementsOf(node: Node, parent: Node | undefined, source: string, add: Add): Edit[] {
  const { left, right, object, property } = node as Record<string, Node | undefined>;
  if (node.type === "BinaryExpression" && EDGES[String(node.operator)] !== undefined) {
    return left && right ? [{ start: left.end, end: right.start, text: ", " }] : [];
  }
  if (node.type !== "MemberExpression" || node.computed || !object || !property) return [];
  const name = nameOf(property);
  const member = `${nameOf(object)}.${name}`;
  if (EXTREMES[member] !== undefined) {
    const text = `(${add("swap", parent ?? node)} ? ${EXTREMES[member]} : ${member})`;
    return [{ start: node.start, end: node.end, text }];
  }
  const quantifier = QUANTIFIERS.get(name);
  if (quantifier === undefined) return [];
  const dot = source.slice(object.end, property.start).trim().startsWith("?") ? "?." : "";
  const text = `${dot}[${add("swap", parent ?? node)} ? "${quantifier}" : "${name}"]`;
  return [{ start: object.end, end: node.end, text }];
}

const EDGES: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const EXTREMES: Readonly<Record<string, string>> = {
  "Math.max": "Math.min",
  "Math.min": "Math.max",
};
const QUANTIFIERS = new Map([
  ["every", "some"],
  ["some", "every"],
]);
/** The functions in core/src/table that build the conditions of writes. */
const CLAUSES = new Set(
  ["eq", "ne", "lt", "lte", "gt", "gte", "exists", "notExists", "begins"].concat([
    "isOrAbsent",
    "guarded",
    "between",
  ]),
);
const COMPARISONS = new Set(["===", "!==", "<", "<=", ">", ">=", "in", "instanceof", "==", "!="]);

const nameOf = (node: Node): string => (node.type === "Identifier" ? String(node.name) : "");

/** Returns whether an expression is a boolean by its form. */
function isVerdict(node: Node): boolean {
  const { operator } = node as { operator?: string };
  if (node.type === "BinaryExpression") return COMPARISONS.has(operator ?? "");
  if (node.type === "UnaryExpression") return operator === "!";
  const isLogic = node.type === "LogicalExpression" && operator !== "??";
  return isLogic && [node.left, node.right].some((side) => isVerdict(side as Node));
}

/** Returns whether an expression is judged as part of a larger one. */
const isPartOfVerdict = (parent: Node | undefined, role: string): boolean =>
  parent === undefined ||
  role === "test" ||
  parent.type === "ParenthesizedExpression" ||
  parent.type === "UnaryExpression" ||
  (parent.type === "LogicalExpression" && parent.operator !== "??");

/** Returns whether a statement is executed for its effect. */
const isDeed = ({ type, callee, argument }: Node): boolean =>
  type === "AssignmentExpression" ||
  (type === "CallExpression" && (callee as Node).type !== "Super") ||
  (type === "AwaitExpression" && isDeed(argument as Node)) ||
  (type === "UnaryExpression" && isDeed(argument as Node)) ||
  (type === "ChainExpression" && true);

/** Returns the children of a node in source order, each with the name of its member. */
const childrenOf = (node: Node): (readonly [Node, string])[] =>
  Object.entries(node)
    .flatMap(([key, value]) =>
      [value].flat().flatMap((child) => (isCode(child) ? [[child, key] as const] : [])),
    )
    .sort(([a], [b]) => a.start - b.start);

const WITH_CODE = new Set(["TSAsExpression", "TSNonNullExpression", "TSSatisfiesExpression"]);

/** Types are not code. */
const isCode = (child: unknown): child is Node => {
  const { type } = (child ?? {}) as Partial<Node>;
  if (typeof type !== "string") return false;
  return WITH_CODE.has(type) || !/^TS|^Import|Decorator/.test(type);
};

/** Applies edits. Edits at the same place keep their order. */
function splice(source: string, edits: readonly Edit[]): string {
  let at = 0;
  let text = "";
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    text += source.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return text + source.slice(at);
}

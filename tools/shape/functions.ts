import { parseAst } from "vitest/node";

/**
 * The figures of one function that show how hard it is to read. Functions inside it are counted
 * separately.
 */
export type FunctionShape = {
  readonly path: string;
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  /** The number of positional parameters. An object is one. */
  readonly parameters: number;
  /**
   * The complexity: 1, plus 1 for each branch, loop, case, catch, `&&`, `||`, `??`, `?.` and
   * default value.
   */
  readonly complexity: number;
};

type Node = { readonly type: string; readonly start: number; readonly end: number } & {
  readonly [member: string]: unknown;
};

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

const BRANCHES = new Set([
  "IfStatement",
  "ConditionalExpression",
  "LogicalExpression",
  "ForStatement",
  "ForOfStatement",
  "ForInStatement",
  "WhileStatement",
  "DoWhileStatement",
  "CatchClause",
  "AssignmentPattern",
]);

/** Returns the functions of a file, in their order. Pure. */
export function functionsOf(path: string, source: string): FunctionShape[] {
  const program = parseAst(source, { lang: "ts" }, path) as unknown as Node;
  const lineAt = (offset: number) => source.slice(0, offset).split("\n").length;
  const found: FunctionShape[] = [];
  const visit = (node: Node, name: string): void => {
    if (FUNCTIONS.has(node.type)) {
      const { params } = node as unknown as { params: readonly Node[] };
      found.push({
        path,
        name,
        line: lineAt(node.start),
        lines: lineAt(node.end) - lineAt(node.start) + 1,
        parameters: params.length,
        complexity: 1 + branchesIn(node),
      });
    }
    for (const child of childrenOf(node)) visit(child, nameOf(child, node) ?? name);
  };
  visit(program, "");
  return found;
}

function branchesIn(node: Node): number {
  return childrenOf(node)
    .filter(({ type }) => !FUNCTIONS.has(type))
    .reduce((sum, child) => sum + (isBranch(child) ? 1 : 0) + branchesIn(child), 0);
}

const isBranch = (node: Node): boolean =>
  BRANCHES.has(node.type) ||
  (node.type === "SwitchCase" && node.test !== null) ||
  (node.type === "MemberExpression" && node.optional === true) ||
  (node.type === "CallExpression" && node.optional === true);

/** Returns the name of a function: its own, or that of the variable or the member that holds it. */
function nameOf(child: Node, parent: Node): string | undefined {
  const named = (child.id ?? parent.id ?? parent.key) as { name?: string } | null | undefined;
  return FUNCTIONS.has(child.type) ? named?.name : undefined;
}

const childrenOf = (node: Node): Node[] =>
  Object.values(node).flatMap((value) =>
    (Array.isArray(value) ? value : [value]).filter(
      (child): child is Node => typeof child?.type === "string",
    ),
  );

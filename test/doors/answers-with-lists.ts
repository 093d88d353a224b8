import openApi from "../../packages/functions/openapi.json" with { type: "json" };
import { operations, resolved, type Schema } from "../contract/access/openapi-operations.ts";

/** The operations of the document whose successful answer contains a list of objects. */
export const operationsWithLists: readonly string[] = operations
  .filter(({ responses }) =>
    Object.entries(responses).some(
      ([status, { content = {} }]) =>
        Number(status) < 400 &&
        Object.values(content).some(({ schema }) => schema !== undefined && holdsList(schema)),
    ),
  )
  .map(({ id }) => id);

/**
 * The members of problems that are lists, by the examples of the problems. At most twenty invalid
 * fields are listed.
 */
export const problemsWithLists: readonly string[] = [...new Set(listsOfProblems(openApi))];

function listsOfProblems(of: unknown): string[] {
  if (typeof of !== "object" || of === null) return [];
  const isProblem = "code" in of && "instance" in of;
  const own = Object.entries(of).filter(
    ([name, value]) => isProblem && name !== "errors" && Array.isArray(value),
  );
  return [...own.map(([name]) => name), ...Object.values(of).flatMap(listsOfProblems)];
}

/** No list is nested deeper than in a member of a member. */
function holdsList(schema: Schema, depth = 2): boolean {
  const { type, items, oneOf, properties = {} } = resolved(schema);
  if (type === "array") return resolved((items ?? {}) as Schema).type !== "string";
  const inner = [...((oneOf as Schema[]) ?? []), ...Object.values(properties as object)];
  return depth > 0 && inner.some((each) => holdsList(each as Schema, depth - 1));
}

import { resolved, type Schema } from "../contract/access/openapi-operations.ts";

type Seen = { answers: number; readonly absent: Set<string>; readonly optional: readonly string[] };

/** For each component with optional members, the answers that were seen. */
const seen = new Map<string, Seen>();

/** Records which optional members an answer lacks, in all of its components. */
export function noteMembers(schema: Schema, value: unknown): void {
  const { properties = {}, required = [], items, oneOf } = resolved(schema);
  if (oneOf !== undefined || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const each of value) noteMembers((items ?? {}) as Schema, each);
    return;
  }
  const members = Object.entries(properties as Record<string, Schema>);
  if (typeof schema.$ref === "string") {
    const optional = members.map(([name]) => name);
    const of = seen.get(schema.$ref) ?? {
      answers: 0,
      absent: new Set(),
      optional: optional.filter((name) => !(required as string[]).includes(name)),
    };
    of.answers++;
    for (const name of of.optional) if (!(name in value)) of.absent.add(name);
    seen.set(schema.$ref, of);
  }
  for (const [name, of] of members) noteMembers(of, (value as Record<string, unknown>)[name]);
}

/**
 * Returns the members that the document calls optional although every one of that many answers had
 * them.
 */
export const neverAbsent = (answersMin: number): string[] =>
  [...seen].flatMap(([ref, { answers, absent, optional }]) =>
    answers < answersMin
      ? []
      : optional
          .filter((name) => !absent.has(name))
          .map((name) => `${ref.split("/").at(-1)}.${name} (${answers} answers)`),
  );

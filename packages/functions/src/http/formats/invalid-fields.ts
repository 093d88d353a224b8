import { LedgerError } from "@eventledger/core";
import type { InvalidField } from "@eventledger/protocol";
import type * as z from "zod/mini";

/** The number of invalid fields that a problem lists. Further ones are only counted. */
const LISTED_MAX = 20;

/**
 * A place in a request: the names and indexes on the way to it. It is printed as a pointer only in
 * a refusal. `line` counts from 1. Only NDJSON has lines.
 */
export type FieldPlace = { readonly path: readonly PropertyKey[]; readonly line?: number };

/** The place of a whole body. */
export const BODY: FieldPlace = { path: [] };

/**
 * Collects the invalid fields of a body. A body with very many of them uses no further memory,
 * because they are only counted.
 */
export type InvalidFields = {
  add(place: FieldPlace, detail: string): void;
  readonly count: number;
  /** Throws one `400 invalid-request` that lists the fields, if there are any. */
  assertNone(): void;
};

export function invalidFields(): InvalidFields {
  const listed: InvalidField[] = [];
  let count = 0;
  return {
    add(place, detail) {
      count += 1;
      if (listed.length < LISTED_MAX) listed.push(invalidField(place, detail));
    },
    get count() {
      return count;
    },
    assertNone() {
      const [first] = listed;
      if (first === undefined) return;
      const all = count === 1 ? "" : ` ${count} fields are invalid in all`;
      const rest =
        count > listed.length ? `, ${count - listed.length} of them not listed here` : "";
      throw new LedgerError("invalid-request", {
        detail: `${sentence(first)}${all && `${all}${rest}.`}`,
        errors: listed,
      });
    },
  };
}

/** Returns the invalid field at a place. The detail names the line when there is one. */
export const invalidField = ({ path, line }: FieldPlace, detail: string): InvalidField => ({
  pointer: toPointer(path),
  detail: line === undefined ? detail : `${detail} (line ${line})`,
});

/** Returns the place of a member or element inside another place. */
export const within = (place: FieldPlace, ...path: readonly PropertyKey[]): FieldPlace => ({
  ...place,
  path: [...place.path, ...path],
});

/** Returns a sentence about an invalid field. */
export const sentence = ({ pointer, detail }: InvalidField): string =>
  `${pointer === "" ? "The body" : pointer} ${detail}.`;

/** Returns a path as a JSON Pointer (RFC 6901): `["events", 3, "a/b"]` is `/events/3/a~1b`. */
export const toPointer = (path: readonly PropertyKey[]): string =>
  path
    .map((name) => `/${shown(String(name)).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");

const SHOWN_CHARS_MAX = 128;

/**
 * Shortens a name. A client may send a name of several megabytes, and its beginning is enough to
 * find it.
 */
const shown = (name: string): string =>
  name.length <= SHOWN_CHARS_MAX ? name : `${name.slice(0, SHOWN_CHARS_MAX).toWellFormed()}…`;

/**
 * Converts the issues that zod reports to invalid fields. An unknown member becomes a field of its
 * own.
 */
export const fieldsOfIssues = (issues: readonly z.core.$ZodIssue[]): FieldOfIssue[] =>
  issues.flatMap((issue): FieldOfIssue[] => {
    const { path } = issue;
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ path: [...path, key], detail: "is not a known field" }));
    }
    if (issue.code === "invalid_key") {
      return [
        { path, detail: `has a member whose name ${issue.issues[0]?.message ?? "is not valid"}` },
      ];
    }
    if (issue.code === "invalid_union") {
      const meant = branchMeant(issue.errors);
      if (meant !== undefined) return fieldsOfIssues(meant.map((of) => inside(path, of)));
    }
    return [{ path, detail: issue.message }];
  });

/**
 * Returns the errors of the one branch of a union that the value was meant to match: a branch with
 * errors only inside the value. Returns undefined when there is no such branch, or more than one.
 */
function branchMeant(branches: readonly (readonly z.core.$ZodIssue[])[]) {
  const close = branches.filter((issues) =>
    issues.every(({ code, path }) => code !== "unrecognized_keys" && path.length > 0),
  );
  return close.length === 1 ? close[0] : undefined;
}

const inside = (path: readonly PropertyKey[], issue: z.core.$ZodIssue): z.core.$ZodIssue => ({
  ...issue,
  path: [...path, ...issue.path],
});

type FieldOfIssue = { readonly path: readonly PropertyKey[]; readonly detail: string };

/** States what a value must be when its schema does not state it. Pass it as `error` to zod. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === "invalid_type") {
    if (issue.input === undefined) return "is required";
    return `must be of type ${TYPES[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === "invalid_value") return `must be ${issue.values.map(quote).join(" or ")}`;
  if (issue.code === "too_small") return `must ${bound("least", issue.minimum, issue.origin)}`;
  if (issue.code === "too_big") return `must ${bound("most", issue.maximum, issue.origin)}`;
  if (issue.code === "invalid_format" && issue.format === "datetime") {
    return "must be an RFC 3339 date and time such as 2026-11-24T08:30:00Z";
  }
  return "is not valid";
};

/** The types for which zod and JSON use different names. */
const TYPES: Readonly<Record<string, string>> = { record: "object", int: "integer" };

function bound(at: "least" | "most", limit: number | bigint, origin: string): string {
  if (origin === "number" || origin === "int") return `be at ${at} ${limit}`;
  if (at === "least" && limit === 1) return "not be empty";
  return `have at ${at} ${limit} ${origin === "string" ? "characters" : "members"}`;
}

const quote = (value: unknown): string => (value === undefined ? "absent" : JSON.stringify(value));

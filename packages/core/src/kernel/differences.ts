import type { InvalidField } from "@eventledger/protocol";

type Json = { readonly [member: string]: unknown };

/** The maximum length of a displayed value, so that a problem stays short. */
const SHOWN_MAX = 200;

/**
 * Returns the requested members that differ in the existing value: a JSON Pointer to each, and the
 * existing value there. Members that are undefined count as absent. Lists differ as a whole. Pure.
 */
export function differencesOf(existing: Json, asked: Json, at = ""): InvalidField[] {
  const members = new Set([...Object.keys(asked), ...Object.keys(existing)]);
  return [...members].flatMap((member) => {
    const [there, wanted] = [ownMember(existing, member), ownMember(asked, member)];
    const pointer = `${at}/${member.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (isObject(there) && isObject(wanted)) return differencesOf(there, wanted, pointer);
    if (JSON.stringify(there) === JSON.stringify(wanted)) return [];
    return [{ pointer, detail: there === undefined ? "is not set there" : tell(there) }];
  });
}

/**
 * Names such as `constructor` are legal names of headers. The members that every object inherits do
 * not count.
 */
const ownMember = (of: Json, member: string): unknown =>
  Object.hasOwn(of, member) ? of[member] : undefined;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function tell(there: unknown): string {
  const text = JSON.stringify(there);
  return `is ${text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text} there`;
}

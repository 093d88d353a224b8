import { invalidRequest } from "@eventledger/core";
import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import { capSmallBody } from "./body-cap.ts";
import { BODY, invalidFields, toPointer, within } from "./formats/invalid-fields.ts";
import { validationOf } from "./validate.ts";

/**
 * The headers that a server must not ignore silently: they ask it to act only on a condition, to
 * act only once, or to continue after an event.
 */
const ASKING = [
  "If-Match",
  "If-None-Match",
  "If-Unmodified-Since",
  "Idempotency-Key",
  "Last-Event-ID",
] as const;

export type AskingHeader = (typeof ASKING)[number];

/**
 * Refuses every part of a request that its route does not take. Otherwise a client would believe
 * that the part has an effect. `asked` are the headers of `AskingHeader` that the route takes, and
 * `decodes` says whether it decodes a body without a validator.
 */
export async function assertKnownParts(
  c: Context,
  { asked, decodes }: { readonly asked: readonly AskingHeader[]; readonly decodes: boolean },
): Promise<void> {
  assertKnownQuery(c);
  assertKnownHeaders(c, asked);
  const takesBody = decodes || validates(c, "json");
  if (!takesBody && !isRead(c)) await capSmallBody(c, () => assertNoBody(c));
}

const isRead = (c: Context): boolean => c.req.method === "GET" || c.req.method === "HEAD";

/** Also refuses a `?` in a path that was meant as part of a key. */
function assertKnownQuery(c: Context): void {
  const mark = c.req.url.indexOf("?");
  if (mark === -1) return;
  if (validates(c, "query")) return;
  const [name] = new URLSearchParams(c.req.url.slice(mark)).keys();
  if (name === undefined) return;
  throw invalidRequest(
    toPointer(["query", name]),
    "is not known: this request takes no query parameters",
  );
}

const validates = (c: Context, part: "query" | "json"): boolean =>
  matchedRoutes(c).some(({ handler }) => validationOf(handler)?.target === part);

/**
 * An answer to a read may always be complete, so `If-None-Match` needs no refusal there. Reads are
 * repeatable, so neither does `Idempotency-Key`.
 */
function assertKnownHeaders(c: Context, asked: readonly AskingHeader[]): void {
  for (const name of ASKING) {
    if (asked.includes(name) || c.req.header(name) === undefined) continue;
    if (isRead(c) && (name === "If-None-Match" || name === "Idempotency-Key")) continue;
    const pointer = `/headers/${name.toLowerCase()}`;
    throw invalidRequest(pointer, "is not known: this request would not act on it");
  }
}

/** Also accepts `{}`, because some clients send it with every POST. */
async function assertNoBody(c: Context): Promise<void> {
  const text = await c.req.text();
  if (text.trim() === "") return;
  const fields = invalidFields();
  const members = membersOf(text);
  if (members === undefined) fields.add(BODY, "must be empty: this request takes none");
  for (const name of members ?? []) {
    fields.add(within(BODY, name), "is not known: this request takes no body");
  }
  fields.assertNone();
}

/** Returns the names of the members of a JSON object, or undefined for any other text. */
function membersOf(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? Object.keys(value) : undefined;
  } catch {
    return undefined;
  }
}

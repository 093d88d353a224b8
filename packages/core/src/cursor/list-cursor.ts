import { NAME } from "@eventledger/protocol";

/** A list of names: its kind, and its parent if there are several such lists. */
export type ListOf =
  | `${"streams" | "keys" | "tenants"}`
  | `${"subscriptions" | "parked" | "archive" | "verified" | "export" | "usage"} ${string}`
  | `${"deliveries" | "erasures" | "erased"} ${string}`;

const LIST =
  /^(?:streams|keys|tenants|(?:subscriptions|parked|archive|verified|export|usage|deliveries|erasures|erased) \S+)$/;

/**
 * Formats the place where a list of names continues. It is not signed, because the caller may see
 * these names anyway.
 */
export const formatListCursor = (list: ListOf, name: string): string =>
  Buffer.from(`${list}:${name}`).toString("base64url");

/**
 * Parses a cursor of a list of names. Old ones do not name their list. Returns undefined for any
 * other text.
 */
export function readListCursor(
  text: string,
): { readonly list: string | undefined; readonly name: string } | undefined {
  const said = Buffer.from(text, "base64url").toString();
  const at = said.lastIndexOf(":");
  const name = said.slice(at + 1);
  const isWhole = Buffer.from(said).toString("base64url") === text;
  if (!isWhole || !NAME.test(name)) return undefined;
  if (at === -1) return { list: undefined, name };
  const list = said.slice(0, at);
  return LIST.test(list) ? { list, name } : undefined;
}

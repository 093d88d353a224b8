import { repeatedHeader } from "../../../packages/functions/src/http/repeated-header.ts";
import type { Gateway } from "./gateways.ts";
import { joinedHeaders, splitTarget, type WireRequest } from "./wire-request.ts";

/**
 * The documented differences between entry points (PROTOCOL.md and decision 0012). Everything else
 * is the same at all of them.
 */

/**
 * Returns a request whose repeated headers a gateway has joined. A Node server refuses a header
 * that occurs twice and may occur once ([http.once]). Returns undefined when no such header is
 * repeated.
 */
export function onceJoined(request: WireRequest): WireRequest | undefined {
  if (repeatedHeader(request.headers.flat()) === undefined) return undefined;
  return { ...request, headers: Object.entries(joinedHeaders(request)) };
}

/** A character that must be escaped in a path. A server refuses it, unless a gateway escapes it. */
const MUST_BE_ESCAPED = /[^!-~]|#/;

/**
 * Returns what happens to the path on its way ([http.target]). `unclear`: the function refuses it.
 * `other`: it becomes a different path, because an escaped slash turned into a slash, or a
 * character that was sent as it is looks like one that was escaped.
 */
export function pathAt({ decode }: Gateway, { target }: WireRequest): "same" | "unclear" | "other" {
  if (decode === undefined) return "same";
  const { path } = splitTarget(target);
  const decoded = decode(path);
  if (/[%\ufffd]/.test(decoded)) return "unclear";
  if (MUST_BE_ESCAPED.test(path)) return "other";
  return decoded.split("/").length === path.split("/").length ? "same" : "other";
}

/**
 * Returns the request as it would be sent to an entry point that leaves paths unchanged, after a
 * gateway has decoded its path.
 */
export function asDecoded({ decode = (path) => path }: Gateway, request: WireRequest): WireRequest {
  const { path, query } = splitTarget(request.target);
  const target = decode(path).split("/").map(encodeURIComponent).join("/");
  return { ...request, target: query === "" ? target : `${target}?${query}` };
}

/**
 * Returns the same request with its key in the query, which every entry point accepts. Returns
 * undefined without a key.
 */
export function withKeyInQuery(request: WireRequest): WireRequest | undefined {
  const { path, query } = splitTarget(request.target);
  const [, before, key, after = ""] =
    /^(.*\/compacted)\/([^/]+)$/.exec(path) ??
    /^(.*\/parked)\/([^/]+)(\/retry|\/skip)$/.exec(path) ??
    [];
  if (before === undefined) return undefined;
  // The other parameters are dropped, because the route of the query form refuses them.
  const known = query.split("&").filter((pair) => pair.startsWith("sequence="));
  return { ...request, target: `${before}${after}?${[`key=${key}`, ...known].join("&")}` };
}

/**
 * Returns what happens to a body that is text by its type and is not UTF-8. AWS replaces bytes. The
 * function notices when that changes the length. It always does, except for a truncated character
 * of four bytes.
 */
export function textOf(body: Buffer | undefined): "kept" | "noticed" | "unnoticed" {
  if (body === undefined) return "kept";
  const text = Buffer.from(body.toString());
  if (text.equals(body)) return "kept";
  return text.length === body.length ? "unnoticed" : "noticed";
}

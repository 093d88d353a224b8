import { repeatedHeader } from "../../../packages/functions/src/http/repeated-header.ts";
import type { Gateway } from "./gateways.ts";
import { joinedHeaders, splitTarget, type WireRequest } from "./wire-request.ts";

/**
 * What the doors differ in, as PROTOCOL.md and decision 0012 have it. Everything that is not named
 * here is the same at all of them.
 */

/**
 * A request whose headers a gateway has joined: a Node server refuses a header that may come once
 * and comes twice ([http.once]). Undefined when it comes once.
 */
export function onceJoined(request: WireRequest): WireRequest | undefined {
  if (repeatedHeader(request.headers.flat()) === undefined) return undefined;
  return { ...request, headers: Object.entries(joinedHeaders(request)) };
}

/**
 * What becomes of the path on its way ([http.target]). `unclear`: the function refuses it. `other`:
 * it is another path there, because an escaped slash has become a slash.
 */
export function pathAt({ decode }: Gateway, { target }: WireRequest): "same" | "unclear" | "other" {
  if (decode === undefined) return "same";
  const { path } = splitTarget(target);
  const decoded = decode(path);
  if (/[%\ufffd]/.test(decoded)) return "unclear";
  return decoded.split("/").length === path.split("/").length ? "same" : "other";
}

/** The request as its path reaches a function, for a door that leaves paths as they are. */
export function asDecoded({ decode = (path) => path }: Gateway, request: WireRequest): WireRequest {
  const { path, query } = splitTarget(request.target);
  const target = decode(path).split("/").map(encodeURIComponent).join("/");
  return { ...request, target: query === "" ? target : `${target}?${query}` };
}

/** The same request with its key in the query, which every door takes; undefined without a key. */
export function withKeyInQuery(request: WireRequest): WireRequest | undefined {
  const { path, query } = splitTarget(request.target);
  const [, before, key, after = ""] =
    /^(.*\/compacted)\/([^/]+)$/.exec(path) ??
    /^(.*\/parked)\/([^/]+)(\/retry|\/skip)$/.exec(path) ??
    [];
  if (before === undefined) return undefined;
  // A route that knows no parameter does not mind one.
  const known = query.split("&").filter((pair) => pair.startsWith("sequence="));
  return { ...request, target: `${before}${after}?${[`key=${key}`, ...known].join("&")}` };
}

/**
 * What becomes of a body that is text by its type and is no UTF-8: AWS replaces bytes. The function
 * notices when that changes the length, as all but a cut character of four bytes does.
 */
export function textOf(body: Buffer | undefined): "kept" | "noticed" | "unnoticed" {
  if (body === undefined) return "kept";
  const text = Buffer.from(body.toString());
  if (text.equals(body)) return "kept";
  return text.length === body.length ? "unnoticed" : "noticed";
}

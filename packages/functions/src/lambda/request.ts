import { isAscii, isUtf8 } from "node:buffer";
import { invalidRequest, LedgerError } from "@eventledger/core";
import type { InvalidField } from "@eventledger/protocol";
import { keepBackslashes, unclearTarget } from "../http/request-target.ts";
import type { HttpEvent } from "./http-event.ts";

/**
 * A request in the form that the app takes. `refusal` is set when the original request is not
 * certain.
 */
export type Received = { readonly request: Request; readonly refusal: LedgerError | undefined };

/** Rebuilds the request of an event byte for byte, as far as the gateway preserved it. */
export function readEvent(event: HttpEvent): Received {
  const { rawPath, rawQueryString, requestContext } = event;
  const { domainName, http } = requestContext;
  const query = rawQueryString === "" ? "" : `?${rawQueryString}`;
  const decoded = !FUNCTION_URL.test(domainName);
  const path = decoded ? encodePath(rawPath) : keepBackslashes(rawPath);
  const unclearPath = decoded ? unclearDecodedPath(rawPath) : undefined;
  const headers = readHeaders(event.headers);
  const body = BODILESS.has(http.method) ? undefined : readBody(event);
  const announced = headers.get("content-length");
  if (body !== undefined) headers.set("content-length", String(body.length));
  const of = { headers, ...(body === undefined ? {} : { body }) };
  const url = `https://${domainName}${path}${query}`;
  const unclear = unclearPath ?? unclearTarget(path + query);
  const isText = !event.isBase64Encoded && !BODILESS.has(http.method) && announced !== null;
  const wasChanged = isText && Number(announced) !== (body?.length ?? 0);
  return {
    request: withMethod(http.method, url, of),
    refusal: unclear
      ? invalidRequest(unclear.pointer, unclear.detail)
      : wasChanged
        ? BODY_CHANGED
        : undefined,
  };
}

/**
 * AWS replaces bytes that are not UTF-8 in a body with a textual media type, before the function
 * receives the body.
 */
const BODY_CHANGED = new LedgerError("malformed-json", {
  detail:
    "The length of the body differs from its Content-Length. AWS replaced bytes in it that are not UTF-8. It leaves a body with a Content-Encoding unchanged when its type is application/x-ndjson or application/cloudevents+json.",
});

/**
 * Matches the host of a Function URL. A Function URL passes the path as it was sent, while an HTTP
 * API decodes it.
 */
const FUNCTION_URL = /\.lambda-url\./;

/**
 * Returns why a decoded path is ambiguous, or undefined. Some gateways keep `%25` and others decode
 * it, so a percent sign has an unknown origin. A replacement character may stand for any invalid
 * bytes.
 */
function unclearDecodedPath(path: string): InvalidField | undefined {
  if (!/[%\ufffd]/.test(path) && path.isWellFormed()) return undefined;
  const detail =
    "contains a percent sign or bytes that are not UTF-8. API Gateway's HTTP API decodes the path, so another path could look the same. Send a key with such characters as `?key=`";
  return { pointer: "/path", detail };
}

const encodePath = (path: string): string =>
  path.toWellFormed().split("/").map(encodeURIComponent).join("/");

/** The methods whose body the app ignores and `Request` refuses. */
const BODILESS = new Set(["GET", "HEAD"]);

function readBody({ body, isBase64Encoded }: HttpEvent): Buffer<ArrayBuffer> | undefined {
  if (body === undefined || body === "") return undefined;
  return Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
}

/**
 * Returns the headers in the form that a Node server gives them: one character for each byte. AWS
 * passes headers on as text. A value is already in that form when it is Latin-1 and its bytes are
 * UTF-8. Any other value is encoded as UTF-8.
 */
function readHeaders(of: HttpEvent["headers"]): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(of)) headers.set(name, toBytes(value));
  return headers;
}

function toBytes(value: string): string {
  const text = Buffer.from(value, "utf8");
  if (isAscii(text)) return value;
  const bytes = Buffer.from(value, "latin1");
  const isBytes = bytes.toString("latin1") === value && isUtf8(bytes);
  return isBytes ? value : text.toString("latin1");
}

/**
 * Creates a request, also with a method that `Request` refuses but a gateway passes on. The app
 * then answers that no route has this method.
 */
function withMethod(method: string, url: string, of: RequestInit): Request {
  if (!REFUSED.has(method.toUpperCase())) return new Request(url, { ...of, method });
  const { body: _, ...bare } = of;
  return Object.defineProperty(new Request(url, bare), "method", { value: method });
}

const REFUSED = new Set(["CONNECT", "TRACE", "TRACK"]);

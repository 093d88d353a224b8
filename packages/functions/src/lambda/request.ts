import { isAscii, isUtf8 } from "node:buffer";
import { invalidRequest, LedgerError } from "@eventledger/core";
import type { InvalidField } from "@eventledger/protocol";
import { keepBackslashes, unclearTarget } from "../http/request-target.ts";
import type { HttpEvent } from "./http-event.ts";

/** A request as the app takes it, and why it is not clear what was sent, if it is not. */
export type Received = { readonly request: Request; readonly refusal: LedgerError | undefined };

/** The request of an event, byte for byte, as far as the gateway hands on what was sent. */
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
 * AWS replaces bytes that are not UTF-8 in a body whose media type is text, before it arrives here.
 */
const BODY_CHANGED = new LedgerError("malformed-json", {
  detail:
    "The body has not the bytes that its Content-Length says. AWS has replaced what is no UTF-8 in it; a body with a Content-Encoding it leaves alone as application/x-ndjson or application/cloudevents+json.",
});

/**
 * The host of a Function URL. A Function URL passes the path as it was sent. An HTTP API decodes
 * it.
 */
const FUNCTION_URL = /\.lambda-url\./;

/**
 * In a decoded path the origin of a percent sign is unknown: some gateways keep `%25`, others
 * decode it. A replacement character may have been any bytes.
 */
function unclearDecodedPath(path: string): InvalidField | undefined {
  if (!/[%\ufffd]/.test(path) && path.isWellFormed()) return undefined;
  const detail =
    "holds a percent sign, or bytes that are no UTF-8, which API Gateway's HTTP API decodes: another path could look the same. Send a key with such characters as `?key=`";
  return { pointer: "/path", detail };
}

const encodePath = (path: string): string =>
  path.toWellFormed().split("/").map(encodeURIComponent).join("/");

/** A body that the app has no use for, and `Request` refuses. */
const BODILESS = new Set(["GET", "HEAD"]);

function readBody({ body, isBase64Encoded }: HttpEvent): Buffer<ArrayBuffer> | undefined {
  if (body === undefined || body === "") return undefined;
  return Buffer.from(body, isBase64Encoded ? "base64" : "utf8");
}

/**
 * Headers as a Node server has them, a character for each byte. AWS hands on text: where that is no
 * Latin-1, or as Latin-1 no UTF-8, the bytes were those of the text in UTF-8.
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
 * `Request` refuses some methods that a gateway passes on. The app answers that no route has them.
 */
function withMethod(method: string, url: string, of: RequestInit): Request {
  if (!REFUSED.has(method.toUpperCase())) return new Request(url, { ...of, method });
  const { body: _, ...bare } = of;
  return Object.defineProperty(new Request(url, bare), "method", { value: method });
}

const REFUSED = new Set(["CONNECT", "TRACE", "TRACK"]);

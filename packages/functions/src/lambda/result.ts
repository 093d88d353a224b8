import { LIMITS } from "@eventledger/protocol";
import { type HttpResult, headOf } from "./http-event.ts";

/** A result, and its number of bytes when Lambda has serialised it as JSON. */
export type Measured = { readonly result: HttpResult; readonly bytes: number };

/**
 * Converts an answer to a result of Lambda, whose body is text or Base64 inside JSON. JSON escapes
 * every quote, and a JSON body has many quotes. A long text takes whichever form is shorter, so no
 * answer grows by more than a third.
 */
export async function toResult(response: Response): Promise<Measured> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const result = headOf(response);
  const text = isText(response.headers)
    ? { ...result, body: bytes.toString(), isBase64Encoded: false }
    : undefined;
  // A byte of text takes six bytes at most, as in `\u0000`.
  if (text !== undefined && bytes.length * 6 < SMALL_BYTES) return measured(text);
  const base64 = measured({ ...result, body: bytes.toString("base64"), isBase64Encoded: true });
  if (text === undefined) return base64;
  const plain = measured(text);
  return plain.bytes <= base64.bytes ? plain : base64;
}

/** Returns whether Lambda accepts the result. */
export const fits = ({ bytes }: Measured): boolean => bytes <= LIMITS.lambdaBytesMax;

/** A body below this size always fits, so its bytes are not counted. */
const SMALL_BYTES = 256 * 1_024;

const measured = (result: HttpResult): Measured => ({
  result,
  bytes: Buffer.byteLength(JSON.stringify(result)),
});

/** Returns whether a body is text that can be sent without Base64. */
const isText = (headers: Headers): boolean =>
  !headers.has("content-encoding") && TEXT.test(headers.get("content-type") ?? "text/plain");

const TEXT = /^text\/|[/+]json\b/;

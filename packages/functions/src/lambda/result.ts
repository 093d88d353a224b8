import { LIMITS } from "@eventledger/protocol";
import type { HttpResult } from "./http-event.ts";

/** A result, and how many bytes it has once Lambda has made it JSON. */
export type Measured = { readonly result: HttpResult; readonly bytes: number };

/**
 * An answer as Lambda hands it on: inside JSON, as text or in Base64. JSON puts a backslash before
 * every quote, and JSON is full of quotes: a long text goes in whichever form is shorter, so that
 * no answer grows by more than a third on its way.
 */
export async function toResult(response: Response): Promise<Measured> {
  const { status, headers } = response;
  const bytes = Buffer.from(await response.arrayBuffer());
  const result = { statusCode: status, headers: Object.fromEntries(headers) };
  const text = isText(headers)
    ? { ...result, body: bytes.toString(), isBase64Encoded: false }
    : undefined;
  // The most that a byte of text can take is `\u0000`.
  if (text !== undefined && bytes.length * 6 < SMALL_BYTES) return measured(text);
  const base64 = measured({ ...result, body: bytes.toString("base64"), isBase64Encoded: true });
  if (text === undefined) return base64;
  const plain = measured(text);
  return plain.bytes <= base64.bytes ? plain : base64;
}

/** Whether Lambda takes it. */
export const fits = ({ bytes }: Measured): boolean => bytes <= LIMITS.lambdaBytesMax;

/** Bodies below this always fit, so their bytes are not counted. */
const SMALL_BYTES = 256 * 1_024;

const measured = (result: HttpResult): Measured => ({
  result,
  bytes: Buffer.byteLength(JSON.stringify(result)),
});

/** Whether a body is text, so that it can go as it is. */
const isText = (headers: Headers): boolean =>
  !headers.has("content-encoding") && TEXT.test(headers.get("content-type") ?? "text/plain");

const TEXT = /^text\/|[/+]json\b/;

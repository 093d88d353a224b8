import type { IncomingEvent } from "@eventledger/core";
import {
  type PublishRequest,
  publishDecoder,
} from "../../packages/functions/src/http/formats/publish-body.ts";

/**
 * Decodes the events of a publish in tests, whether the decoder takes the body whole or in pieces.
 */
export function decodePublish({
  body,
  ...request
}: PublishRequest & { readonly body: Uint8Array | readonly Uint8Array[] }): IncomingEvent[] {
  const decoder = publishDecoder(request);
  const pieces = body instanceof Uint8Array ? [body] : body;
  if ("whole" in decoder) return decoder.whole(Buffer.concat(pieces));
  for (const piece of pieces) decoder.push(piece);
  return decoder.end();
}

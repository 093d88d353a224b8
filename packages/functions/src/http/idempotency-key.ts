import { invalidRequest } from "@eventledger/core";
import { LIMITS } from "@eventledger/protocol";

const VISIBLE_ASCII = /^[!-~]+$/;

/**
 * Reads the value of an Idempotency-Key header. A quoted value (a structured field, as in the IETF
 * draft) and a bare value name the same key. Throws `invalid-request`.
 */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (VISIBLE_ASCII.test(key) && key.length <= LIMITS.idempotencyKeyCharsMax) return key;
  throw invalidRequest(
    "/headers/idempotency-key",
    `must be 1 to ${LIMITS.idempotencyKeyCharsMax} visible ASCII characters`,
  );
}

import { LIMITS } from "@eventledger/protocol";

/**
 * The first of these items that an answer can hold. Always one at least: none is as large as an
 * answer, and a list must get on.
 */
export function fittingItems<T>(
  items: readonly T[],
  bytesMax: number = LIMITS.pageBytesMax,
): readonly T[] {
  let bytes = 0;
  const over = items.findIndex((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    return bytes > bytesMax;
  });
  return over === -1 ? items : items.slice(0, Math.max(1, over));
}

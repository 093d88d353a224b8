/** Returns a random key. `crypto.randomUUID` does not exist on pages without TLS. */
export function newIdempotencyKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

import { hash, timingSafeEqual } from "node:crypto";

/**
 * Tells whether an API key is the admin key. Only its SHA-256 is kept, and the comparison takes the
 * same time whatever is wrong with a key.
 */
export function createAdminKey(adminKey: string): (apiKey: string) => boolean {
  const expected = digest(adminKey);
  return (apiKey) => timingSafeEqual(digest(apiKey), expected);
}

const digest = (text: string): Buffer => hash("sha256", text, "buffer");

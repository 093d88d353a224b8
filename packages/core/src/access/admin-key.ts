import { hash, timingSafeEqual } from "node:crypto";

/**
 * Returns a function that checks whether an API key is the admin key. It keeps only the SHA-256 of
 * the admin key. The comparison always takes the same time, so it does not show where a key
 * differs.
 */
export function createAdminKey(adminKey: string): (apiKey: string) => boolean {
  const expected = digest(adminKey);
  return (apiKey) => timingSafeEqual(digest(apiKey), expected);
}

const digest = (text: string): Buffer => hash("sha256", text, "buffer");

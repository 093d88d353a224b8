import { setTimeout as sleep } from "node:timers/promises";
import type { Door } from "../../../examples/webhooks/request.ts";

/**
 * The number of attempts within about a minute. On a busy machine, a request that usually takes
 * milliseconds may need that long.
 */
const TRIES_MAX = 120;
const PAUSE_MS = 50;

/**
 * Sends one request like a patient client: it retries with the same Idempotency-Key while the
 * server is busy or unreachable. Throws an Error with the answer when the server refuses.
 */
export async function send<T>(
  { url, apiKey }: Door,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
  idempotencyKey?: string,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          "content-type": "application/json",
          ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.ok) return JSON.parse(text) as T;
      const later = response.status === 503 || response.status === 429;
      if (!later || attempt >= TRIES_MAX) {
        throw new Refused(`${method} ${path}: ${response.status} ${text}`);
      }
    } catch (error) {
      if (error instanceof Refused || attempt >= TRIES_MAX) throw error;
    }
    await sleep(PAUSE_MS * Math.min(attempt, 10));
  }
}

class Refused extends Error {
  override readonly name = "Refused";
}

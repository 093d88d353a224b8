import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * The result of one publish request. `acknowledged`: it is in the log at `sequences`. `refused`: it
 * is not in the log and never will be. `unknown`: it is in the log once or not at all.
 */
export type Attempt = {
  readonly publisher: string;
  readonly request: string;
  /** The number of the request. It rises by one with each request of a publisher. */
  readonly n: number;
  readonly outcome: "acknowledged" | "refused" | "unknown";
  readonly sequences: readonly number[];
  /** When the answer arrived, by `performance.now()`. */
  readonly answeredAtMs: number;
};

/** Holds the publishers with an Idempotency-Key back while the others continue. */
export type Gate = { held: boolean; underWay: number };

/** The data of each published event. */
export type Payload = { readonly request: string; readonly n: number; readonly part: number };

/** The number of events in a request. A request is in the log completely or not at all. */
export const REQUEST_EVENTS = 2;

type Target = { readonly url: string; readonly apiKey: string; readonly stream: string };

export type Publisher = {
  readonly name: string;
  /** If true, each request has an Idempotency-Key and is retried until it succeeds. */
  readonly retries: boolean;
};

/** Publishes one request after the other until `signal` is aborted. */
export async function runPublisher(
  target: Target,
  { name, retries }: Publisher,
  gate: Gate,
  attempts: Attempt[],
  signal: AbortSignal,
): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const sent = { publisher: name, request: randomUUID(), n };
    for (;;) {
      while (retries && gate.held) await sleep(PAUSE_MS);
      if (retries) gate.underWay++;
      const answer = await publish(target, sent, retries);
      if (retries) gate.underWay--;
      if (answer.outcome !== "acknowledged") await sleep(PAUSE_MS * 5);
      if (retries && answer.outcome !== "acknowledged") continue;
      attempts.push({ ...sent, ...answer, answeredAtMs: performance.now() });
      break;
    }
  }
}

const PAUSE_MS = 20;
const REQUEST_TIMEOUT_MS = 2_000;

/** The problem codes that promise that nothing was written. */
const REFUSALS = new Set(["stream-busy", "store-unavailable", "too-many-requests"]);

async function publish(
  { url, apiKey, stream }: Target,
  { publisher, request, n }: { publisher: string; request: string; n: number },
  retries: boolean,
): Promise<Pick<Attempt, "outcome" | "sequences">> {
  const events = Array.from({ length: REQUEST_EVENTS }, (_, part) => {
    const data: Payload = { request, n, part };
    return { key: publisher, data };
  });
  let response: Response;
  let answer: { events?: { sequence: number }[]; code?: string; detail?: string };
  try {
    response = await fetch(`${url}/streams/${stream}/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${apiKey}`,
        "content-type": "application/json",
        ...(retries ? { "idempotency-key": request } : {}),
      },
      body: JSON.stringify({ events }),
      // A client does not wait forever. After its timeout, the request may still take effect.
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    answer = JSON.parse(await response.text());
  } catch {
    return { outcome: "unknown", sequences: [] };
  }
  if (answer.events !== undefined) {
    return { outcome: "acknowledged", sequences: answer.events.map(({ sequence }) => sequence) };
  }
  if (response.status < 500 && response.status !== 429) {
    throw new Error(`A valid publish was answered ${response.status}: ${JSON.stringify(answer)}`);
  }
  const refused = REFUSALS.has(answer.code ?? "");
  return { outcome: refused ? "refused" : "unknown", sequences: [] };
}

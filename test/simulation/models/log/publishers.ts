import { LedgerError } from "../../../../packages/core/src/kernel/error.ts";
import type { SeededRandom } from "../../dynamodb/seeded-random.ts";
import type { Call, History, Request } from "./history.ts";
import type { LogProcess } from "./simulated-log.ts";

/** A process that publishes: a simulated one or a real one. */
export type Publisher = Pick<LogProcess, "log" | "recall">;

/** The requests of the publishers. Each publisher has one request in flight at a time. */
export type Workload = {
  readonly publishers: number;
  /** The total number of requests. */
  readonly requests: number;
  /** The share of the requests that have an idempotency key. */
  readonly keyed: number;
};

const KEYS = 12;
const TRIES_MAX = 200;

/**
 * Publishes single events, runs of one key and mixtures of keys, each request at a random process.
 * A request with an idempotency key is sent until it succeeds, sometimes twice at once, sometimes
 * again after its success, and sometimes with another body. Resolves when everything is done.
 */
export async function publishAll(
  processes: readonly Publisher[],
  history: History,
  random: SeededRandom,
  { publishers, requests, keyed }: Workload,
): Promise<void> {
  let left = requests;
  const publisher = async (chance: SeededRandom): Promise<void> => {
    while (left-- > 0) {
      const keys = pickKeys(chance);
      if (chance.chance(keyed)) await publishKeyed(processes, history, chance, keys);
      else await publishAt(chance.pick(processes), history, history.add(keys));
    }
  };
  const all = Array.from({ length: publishers }, (_, n) =>
    publisher(random.fork(`publisher ${n}`)),
  );
  await Promise.all(all);
}

/** Sends a request once. */
export const publishAt = (
  { log, recall }: Publisher,
  history: History,
  request: Request,
): Promise<Call> =>
  history.record(request, async () =>
    log.publish(await recall(), request.events, request.idempotencyKey),
  );

function pickKeys(random: SeededRandom): string[] {
  const key = () => `key-${random.between(1, KEYS)}`;
  const shape = random.fraction();
  if (shape < 0.6) return [key()];
  const count = random.between(2, 9);
  if (shape < 0.8) return new Array<string>(count).fill(key());
  return Array.from({ length: count }, key);
}

async function publishKeyed(
  processes: readonly Publisher[],
  history: History,
  random: SeededRandom,
  keys: readonly string[],
): Promise<void> {
  const request = history.add(keys, `idempotency-${history.requests.length}`);
  const send = () => publishAt(random.pick(processes), history, request);
  for (let tries = 0; !request.calls.some(isSuccess); tries++) {
    if (tries === TRIES_MAX) throw new Error(`${request.name} never succeeds`);
    await Promise.all(random.chance(0.2) ? [send(), send()] : [send()]);
  }
  if (random.chance(0.1)) await send();
  if (random.chance(0.1)) await publishOther(random.pick(processes), request);
}

const isSuccess = ({ outcome }: Call): boolean =>
  outcome === "acknowledged" || outcome === "replayed";

/**
 * Sends the same key with another body, which must be refused unless the store prevents a decision.
 */
async function publishOther({ log, recall }: Publisher, request: Request): Promise<void> {
  const events = [...request.events, ...request.events];
  try {
    await log.publish(await recall(), events, request.idempotencyKey);
  } catch (error) {
    if (error instanceof LedgerError && OTHER_BODY_CODES.has(error.code)) return;
    throw error;
  }
  throw new Error(`${request.name} was accepted with another body`);
}

const OTHER_BODY_CODES = new Set([
  "idempotency-key-reused",
  "outcome-unknown",
  "stream-busy",
  "store-unavailable",
]);

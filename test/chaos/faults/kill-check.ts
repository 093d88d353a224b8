import { type Attempt, type Payload, REQUEST_EVENTS } from "./kill-load.ts";

/** One event as the log returns it. */
export type LoggedEvent = {
  readonly sequence: number;
  readonly key: string;
  readonly data: Payload;
};

/**
 * Returns every contradiction between the log and the answers to the publishers. An acknowledged
 * request for which `mayBeLost` is true counts as unknown.
 */
export function findViolations(
  log: readonly LoggedEvent[],
  all: readonly Attempt[],
  mayBeLost: (attempt: Attempt) => boolean,
): string[] {
  const found: string[] = [];
  log.forEach(({ sequence }, index) => {
    if (sequence !== index + 1) found.push(`event ${index + 1} of the log has number ${sequence}`);
  });
  const byRequest = Map.groupBy(log, ({ data }) => data.request);
  const attempts = all.map((attempt): Attempt => {
    const isExcused = !byRequest.has(attempt.request) && mayBeLost(attempt);
    return isExcused ? { ...attempt, outcome: "unknown", sequences: [] } : attempt;
  });
  for (const attempt of attempts) {
    found.push(...checkAttempt(attempt, byRequest.get(attempt.request) ?? []));
  }
  for (const [publisher, sent] of Map.groupBy(attempts, (attempt) => attempt.publisher)) {
    const sequences = sent.flatMap((attempt) => attempt.sequences);
    const sorted = sequences.toSorted((a, b) => a - b);
    if (String(sequences) !== String(sorted)) found.push(`${publisher} is out of order`);
  }
  const known = new Set(attempts.map(({ request }) => request));
  for (const request of byRequest.keys()) {
    if (!known.has(request)) found.push(`request ${request} is in the log and was never sent`);
  }
  return found;
}

function checkAttempt(
  { outcome, request, publisher, n, sequences }: Attempt,
  events: readonly LoggedEvent[],
): string[] {
  const what = `${outcome} request ${request} (${publisher} ${n})`;
  const parts = events.map(({ data }) => data.part).join();
  const whole = Array.from({ length: REQUEST_EVENTS }, (_, part) => part).join();
  if (events.length === 0) return outcome === "acknowledged" ? [`${what} is lost`] : [];
  if (outcome === "refused") return [`${what} is in the log`];
  if (parts !== whole) return [`${what} is in the log with parts ${parts} instead of ${whole}`];
  if (events.some(({ key, data }) => key !== publisher || data.n !== n)) {
    return [`${what} has other contents`];
  }
  const at = events.map(({ sequence }) => sequence).join();
  if (outcome === "acknowledged" && at !== sequences.join()) {
    return [`${what} is at ${at} and was announced at ${sequences.join()}`];
  }
  return [];
}

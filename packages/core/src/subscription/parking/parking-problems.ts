import { LedgerError } from "../../kernel/error.ts";

export const notParkable = (detail: string): LedgerError =>
  new LedgerError("not-parkable", { detail });

export const tooManyParked = (): LedgerError =>
  notParkable(
    "Too many keys are already parked. Retry or skip some first; GET .../parked lists them.",
  );

export const tooManySkipped = (): LedgerError =>
  notParkable(
    "Too many events are skipped that the position has not passed. Poll and commit, then skip again.",
  );

export const otherIsFirst = (sequence: number): LedgerError =>
  new LedgerError("not-parkable", {
    detail: `The first waiting event of the key is ${sequence}.`,
    facts: { sequence },
  });

export function changedByOthers(): never {
  throw new LedgerError("outcome-unknown", {
    detail:
      "Concurrent requests changed this subscription. GET .../parked shows the state of the key.",
    retryAfterSeconds: 1,
  });
}

export const parkedKeyNotFound = (): LedgerError =>
  new LedgerError("parked-key-not-found", {
    detail: "The key is not parked in this subscription. GET .../parked lists those that are.",
  });

export const queueExpired = (): LedgerError =>
  new LedgerError("retention-passed", {
    detail:
      "The parked event is no longer kept, so it cannot be retried. Skip it to continue with the remaining events of its key.",
  });

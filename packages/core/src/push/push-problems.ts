import { LedgerError } from "../kernel/error.ts";

export const pushNotFound = (): LedgerError =>
  new LedgerError("push-not-found", {
    detail: "The subscription is not pushed. Set an endpoint with PUT .../push.",
  });

export const pushUnavailable = (): LedgerError =>
  new LedgerError("push-unavailable", {
    detail:
      "This server does not push. Its operator can deploy it with PUSH=on and the secret PushKey.",
  });

export const notOfKey = (sequence: number): LedgerError =>
  new LedgerError("event-not-found", { detail: `Event ${sequence} does not have this key.` });

export function changedByOthers(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "Concurrent requests changed this push. GET .../push shows its state.",
    retryAfterSeconds: 1,
  });
}

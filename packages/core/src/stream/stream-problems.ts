import { invalidRequest, LedgerError } from "../kernel/error.ts";
import { CHAINS_MAX } from "../model/epochs.ts";

export function nameIsBusy(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "Other clients keep changing the stream of this name. Try again.",
    retryAfterSeconds: 1,
  });
}

export function stillTurning(): never {
  throw new LedgerError("stream-busy", {
    detail: "The stream is changing its partitions. Nothing was written; send the request again.",
    retryAfterSeconds: 1,
  });
}

/** `left` is the largest number that is still possible. */
export const noPartitionsLeft = (left: number): LedgerError => {
  const most = left < 1 ? "cannot be changed any more" : `can be at most ${left}`;
  const why = `a stream has at most ${CHAINS_MAX} partitions over all its changes`;
  return invalidRequest("/partitions", `${most}: ${why}`);
};

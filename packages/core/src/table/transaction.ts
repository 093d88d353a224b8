import { again, backOff, retry } from "../kernel/retry.ts";
import { isRefusal, outcomeUnknown, refusalOf } from "./aws-error.ts";
import type { Connection } from "./connection.ts";

/** The store's reason for one item of a cancelled transaction. */
export type Reason = { readonly code: string; readonly item?: unknown };

/**
 * The outcome of a transaction that was sent once. `cancelled` is a verdict: at least one condition
 * failed and this request wrote nothing. Every other outcome except `written` is `unknown`,
 * including conflicts and throttling, because an earlier copy of the same request may have been
 * carried out.
 */
export type Verdict<Cancelled> =
  | { readonly kind: "written" }
  | ({ readonly kind: "cancelled" } & Cancelled)
  | { readonly kind: "unknown"; readonly cause: unknown };

/** The answer to a transaction: written, or cancelled with a reason for each item. */
export type Written = { canceled: boolean; data: readonly Reason[] };

/** Sends a transaction once. Throws only when the store refused the request permanently. */
export async function sendTransaction(
  write: () => Promise<Written>,
): Promise<Verdict<{ reasons: readonly Reason[] }>> {
  try {
    const { canceled, data } = await write();
    if (!canceled) return { kind: "written" };
    const verdict = data.some(({ code }) => code === "ConditionalCheckFailed");
    if (verdict) return { kind: "cancelled", reasons: data };
    const codes = data.map(({ code }) => code).join(", ");
    if (data.some(({ code }) => code === "ValidationError")) {
      throw new TypeError(`The store refused a transaction: ${codes}`);
    }
    return { kind: "unknown", cause: new Error(`Transaction cancelled: ${codes}`) };
  } catch (error) {
    if (error instanceof TypeError || isRefusal(error)) throw refusalOf(error);
    return { kind: "unknown", cause: error };
  }
}

const TRIES = 6;
const BACKOFF = { baseMs: 25, capMs: 500 };

/**
 * Sends a transaction until its outcome is known. Returns undefined when it is written, and the
 * reasons when a condition failed, perhaps because an earlier attempt of this same call was carried
 * out.
 */
export async function transact(
  connection: Connection,
  write: () => Promise<Written>,
): Promise<readonly Reason[] | undefined> {
  const { reasons } = await transactOnce(connection, write);
  return reasons;
}

/**
 * Does the same as `transact`, and also returns whether an earlier attempt of this same call may
 * have been carried out.
 */
export async function transactOnce(
  connection: Connection,
  write: () => Promise<Written>,
): Promise<{ reasons: readonly Reason[] | undefined; isRepeated: boolean }> {
  return retry({ tries: TRIES, pause: backOff(connection, BACKOFF) }, async (attempt) => {
    const isRepeated = attempt > 0;
    const verdict = await sendTransaction(write).catch((error: unknown) => {
      // A refusal concerns only this attempt. An earlier one may have been carried out.
      throw isRepeated ? outcomeUnknown(error) : error;
    });
    if (verdict.kind === "unknown") return again(outcomeUnknown(verdict.cause));
    return { reasons: verdict.kind === "cancelled" ? verdict.reasons : undefined, isRepeated };
  });
}

import { asClientError } from "./client.ts";

/**
 * The next step of a relay after a failed publish. `again`: send the same batch with the same name,
 * after a pause. `look`: check whether the batch is already in the log. `refuse`: nothing was
 * written, and these events (by their index) are at fault. `stop`: repeating does not help.
 * `database`: the error does not come from the ledger.
 */
export type Verdict =
  | { readonly kind: "again"; readonly afterMs: number }
  | { readonly kind: "look" }
  | { readonly kind: "refuse"; readonly reasons: ReadonlyMap<number, string> }
  | { readonly kind: "stop" | "database" };

const AT_FAULT = /^\/events\/(\d+)(\/|$)/;

/** Judges a failed publish of `count` events. */
export function verdictOn(error: unknown, count: number): Verdict {
  const { name, code, status = 0, retry, retryAfterMs = 0, errors = [] } = asClientError(error);
  if (name === "LedgerUnreachable") return { kind: "again", afterMs: 0 };
  if (name !== "LedgerProblem") return { kind: "database" };
  if (code === "idempotency-key-reused") return { kind: "look" };
  if (retry === "same" || retry === "later") return { kind: "again", afterMs: retryAfterMs };
  const reasons = new Map<number, string>();
  if (status !== 400 && status !== 413 && status !== 422) return { kind: "stop" };
  for (const { pointer, detail } of errors) {
    const index = Number(AT_FAULT.exec(pointer)?.[1] ?? count);
    if (index >= count) return { kind: "stop" };
    reasons.set(index, `${code}: ${detail}`);
  }
  return reasons.size === 0 ? { kind: "stop" } : { kind: "refuse", reasons };
}

/** The pause before the next attempt, which doubles up to 5 s. */
export const pauseMs = (failures: number): number => Math.min(5_000, 100 * 2 ** (failures - 1));

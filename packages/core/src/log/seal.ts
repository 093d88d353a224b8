import { ageMs, type Clock, type Stamp, takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import type { Random } from "../kernel/random.ts";
import { again, backOff, retry } from "../kernel/retry.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Life } from "../model/names.ts";
import type { Append } from "../table/append-rows.ts";
import type { Batch } from "../table/batch.ts";
import type { Table } from "../table/table.ts";
import { loadEnd } from "./end.ts";
import { assertMayPublish } from "./guard.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly random: Random };

const TRIES = 40;
const BACKOFF = { baseMs: 10, capMs: 250 };
const AGE_MAX_MS = MINUTE_MS;

/** A put whose outcome is unknown. The same content is sent to the same place until it is known. */
type Put = { readonly append: Append; readonly stamp: Stamp; readonly ended: Ended };

/** The last batch of a chain that has ended. */
export type Ended = Pick<Batch, "kind" | "publishedAt"> & { readonly next: number };

/**
 * Permanently ends the chain of one partition: with a seal at the end of the stream's life, and
 * with a turn where the stream goes on in other partitions. Nothing can be written after it, so a
 * publisher with an outdated view of the stream learns this from the chain. A chain that has ended
 * stays as it is. Returns how it ends, undefined when the partition is gone. Throws
 * `outcome-unknown` when publishers or faults keep interfering. It passes through these states:
 *
 * 1. reading the end of the chain: if it has ended or is gone, the function returns
 * 2. undecided: the same put is sent again, for a minute after the read
 * 3. written; or a publisher was faster, which leads to 1
 */
export async function endPartition(
  deps: Deps,
  life: Life,
  partition: number,
  kind: "seal" | "turn",
  { isChecked = false }: { readonly isChecked?: boolean } = {},
): Promise<Ended | undefined> {
  const { table, clock } = deps;
  const isYoung = ({ stamp }: Put) => ageMs(clock, stamp) < AGE_MAX_MS;
  let put: Put | undefined;
  const giveUp = kind === "seal" ? notClosed : notTurned;
  const limits = { tries: TRIES, pause: backOff(deps, BACKOFF), giveUp };
  return retry<Ended | undefined>(limits, async () => {
    if (put === undefined) {
      const plan = await planEnd(deps, life, partition, { kind, isChecked });
      if (plan === undefined || "next" in plan) return plan;
      put = plan;
    }
    const { kind: verdict } = await table.append.put(put.append);
    if (verdict === "written" && isYoung(put)) return put.ended;
    if (verdict !== "unknown" || !isYoung(put)) put = undefined;
    return again();
  });
}

/**
 * Returns the put of a last batch at the end of a chain, or how the chain ends already. Returns
 * undefined when the chain is gone.
 */
async function planEnd(
  deps: Deps,
  life: Life,
  partition: number,
  { kind, isChecked }: { readonly kind: "seal" | "turn"; readonly isChecked: boolean },
): Promise<Put | Ended | undefined> {
  const { clock, random } = deps;
  const stamp = takeStamp(clock);
  const end = await endOrGone(deps, life, partition);
  if (end === undefined) return undefined;
  const { next, publishedAt } = end;
  if (end.sealed) return { kind: "seal", next, publishedAt };
  if (end.turned) return { kind: "turn", next, publishedAt };
  // The next epoch numbers its events from this end, so it must be the true one.
  if (kind === "turn" && !isChecked) assertMayPublish(end, clock.now());
  const batch: Batch = {
    first: next,
    count: 0,
    batchId: random.bytes(16),
    publishedAt: Math.max(clock.now(), publishedAt),
    kind,
    rawBytes: 0,
    payload: new Uint8Array(),
  };
  const append = { life, batches: [{ partition, batch }], receipts: [], token: "" };
  return { append, stamp, ended: { kind, next, publishedAt: batch.publishedAt } };
}

function notClosed(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "The stream is being deleted, but not all of it is closed yet. Send the request again.",
    retryAfterSeconds: 1,
  });
}

function notTurned(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "The stream is changing its partitions, and not all of it is done. Try again.",
    retryAfterSeconds: 1,
  });
}

async function endOrGone(deps: Deps, life: Life, partition: number) {
  try {
    return await loadEnd(deps, life, partition);
  } catch (error) {
    if (error instanceof LedgerError && error.code === "stream-not-found") return undefined;
    throw error;
  }
}

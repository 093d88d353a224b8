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

type Deps = { readonly table: Table; readonly clock: Clock; readonly random: Random };

const TRIES = 40;
const BACKOFF = { baseMs: 10, capMs: 250 };
const AGE_MAX_MS = MINUTE_MS;

/**
 * A put whose outcome is unknown. The same content is sent to the same place until the outcome is
 * known.
 */
type Put = { readonly append: Append; readonly stamp: Stamp };

/**
 * Permanently ends the chain of one partition. Nothing can be written after a seal, so a publisher
 * with an outdated view of the stream learns from the chain that the stream has ended. Sealing
 * twice is harmless. Throws `outcome-unknown` when publishers or faults keep interfering. It passes
 * through these states:
 *
 * 1. reading the end of the chain: if it is sealed or gone, the function returns
 * 2. undecided: the same put is sent again, for a minute after the read
 * 3. written; or a publisher was faster, which leads to 1
 */
export async function sealPartition(deps: Deps, life: Life, partition: number): Promise<void> {
  const { table, clock } = deps;
  const isYoung = ({ stamp }: Put) => ageMs(clock, stamp) < AGE_MAX_MS;
  let put: Put | undefined;
  const limits = { tries: TRIES, pause: backOff(deps, BACKOFF), giveUp: notClosed };
  return retry<void>(limits, async () => {
    put ??= await planSeal(deps, life, partition);
    if (put === undefined) return;
    const { kind } = await table.append.put(put.append);
    if (kind === "written" && isYoung(put)) return;
    if (kind !== "unknown" || !isYoung(put)) put = undefined;
    return again();
  });
}

/**
 * Returns the put of a seal at the end of a chain. Returns undefined when the chain is already
 * sealed or gone.
 */
async function planSeal(deps: Deps, life: Life, partition: number): Promise<Put | undefined> {
  const { clock, random } = deps;
  const stamp = takeStamp(clock);
  const end = await endOrGone(deps, life, partition);
  if (end === undefined || end.sealed) return undefined;
  const batch: Batch = {
    first: end.next,
    count: 0,
    batchId: random.bytes(16),
    publishedAt: Math.max(clock.now(), end.publishedAt),
    kind: "seal",
    rawBytes: 0,
    payload: new Uint8Array(),
  };
  return { append: { life, batches: [{ partition, batch }], receipts: [], token: "" }, stamp };
}

function notClosed(): never {
  throw new LedgerError("outcome-unknown", {
    detail: "The stream is being deleted, but not all of it is closed yet. Send the request again.",
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

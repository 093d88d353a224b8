import { ageMs, type Clock, takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { fullJitterMs, type Random } from "../kernel/random.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Life } from "../model/names.ts";
import type { Batch } from "../table/batch.entity.ts";
import type { Table } from "../table/table.ts";
import { loadEnd } from "./end.ts";

type Deps = { readonly table: Table; readonly clock: Clock; readonly random: Random };

const TRIES = 40;
const BACKOFF = { baseMs: 10, capMs: 250 };
const AGE_MAX_MS = MINUTE_MS;

/**
 * Permanently ends the chain of one partition. Nothing can be written after a seal, so a publisher
 * with an outdated view of the stream learns from the chain that the stream has ended. Sealing
 * twice is harmless. Throws `outcome-unknown` when publishers or faults keep interfering.
 */
export async function sealPartition(deps: Deps, life: Life, partition: number): Promise<void> {
  const { table, clock, random } = deps;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const stamp = takeStamp(clock);
    const end = await endOrGone(deps, life, partition);
    if (end === undefined || end.sealed) return;
    const batch: Batch = {
      first: end.next,
      count: 0,
      batchId: random.bytes(16),
      publishedAt: Math.max(clock.now(), end.publishedAt),
      kind: "seal",
      rawBytes: 0,
      payload: new Uint8Array(),
    };
    const append = { life, batches: [{ partition, batch }], receipts: [], token: "" };
    let verdict = await table.append.put(append);
    while (verdict.kind === "unknown" && ageMs(clock, stamp) < AGE_MAX_MS && attempt < TRIES) {
      await clock.sleep(fullJitterMs(random, attempt++, BACKOFF));
      verdict = await table.append.put(append);
    }
    if (verdict.kind === "written" && ageMs(clock, stamp) < AGE_MAX_MS) return;
    await clock.sleep(fullJitterMs(random, attempt, BACKOFF));
  }
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

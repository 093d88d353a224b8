import { LedgerError } from "../kernel/error.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { isInSnapshot, progressOf } from "../subscription/position/progress.ts";
import type { SubscriptionState } from "../subscription/state.ts";
import type { Subscriptions } from "../subscription/subscriptions.ts";
import type { ErasureRow } from "../table/erasure.entity.ts";
import type { Table } from "../table/table.ts";

/** Which subscriptions have passed the tombstone of an erasure. */
export type Followers = {
  /** How many have committed a position after it. */
  readonly passed: number;
  /** The names of some that have not, by name. */
  readonly waiting: string[];
  /** True when there are subscriptions that were not looked at. */
  readonly more: boolean;
};

const PAGE = 100;
const LOOKED_MAX = 500;

/**
 * Returns which subscriptions have passed the tombstone. Those whose filter leaves the key out are
 * not counted. A read per subscription.
 */
export async function findFollowers(
  { table, subscriptions }: { readonly table: Table; readonly subscriptions: Subscriptions },
  stream: LiveStream,
  row: ErasureRow,
): Promise<Followers> {
  let passed = 0;
  let looked = 0;
  const waiting: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await table.subscriptions.list(stream.name, stream.uid, PAGE, after);
    for (const each of page.subscriptions) {
      const { keyPrefix = "" } = each.config.filter ?? {};
      if (!row.key.startsWith(keyPrefix)) continue;
      const state = await subscriptions.refresh(stream, { row: each }).catch(isDeleted);
      if (state === undefined) continue;
      if (hasPassed(state, row)) passed++;
      else waiting.push(each.name);
    }
    looked += page.subscriptions.length;
    if (page.next === null) return { passed, waiting, more: false };
    if (looked >= LOOKED_MAX) return { passed, waiting, more: true };
    after = page.next;
  }
}

/** The subscription was deleted after it was listed. */
function isDeleted(error: unknown): undefined {
  if (error instanceof LedgerError && error.code === "subscription-not-found") return undefined;
  throw error;
}

/**
 * Returns whether everything up to the tombstone is committed, and no queue of a parked key still
 * has it. A snapshot that is being read may have the state from before. Pure.
 */
export function hasPassed(
  state: Pick<SubscriptionState, "offsets" | "bootstrap" | "row" | "generation">,
  { key, tombstone, chains = [] }: Pick<ErasureRow, "key" | "tombstone" | "chains">,
): boolean {
  const partition = chains.at(-1)?.partition;
  if (tombstone === undefined || partition === undefined) return false;
  const { positions, bootstrap } = progressOf(state);
  const next = positions[partition]?.next ?? 0;
  if (isInSnapshot(bootstrap) || next <= tombstone) return false;
  return !chains.some((chain) => {
    const parked = state.offsets[chain.partition]?.parking?.keys ?? [];
    return parked.some((each) => each.key === key && each.next <= tombstone);
  });
}

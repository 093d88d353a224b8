import { type Life, lifeOf, type ScopedName } from "../model/names.ts";
import type { PushId } from "../table/push.entity.ts";
import type { Table } from "../table/table.ts";
import { isDue } from "./push-plan.ts";

/** The key of a row that the table's stream reports as written. */
export type RungKey = { readonly pk: string; readonly sk: string };

const BATCH = /^STREAM#(?<name>[^#]+)#(?<uid>[^#]+)#P\d+$/;
const BELL = /^STREAM#(?<name>[^#]+)#(?<uid>[^#]+)#SUB#(?<subscriptionUid>[^#]+)#PUSH$/;

/**
 * Returns the pushes that the rows concern: those of a stream with a new batch, and rung ones. A
 * push that is disabled, that waits for its next probe, or that a pusher is at work on needs no
 * ring for a new batch.
 */
export async function pushesRung(
  table: { readonly pushes: Pick<Table["pushes"], "list"> },
  keys: readonly RungKey[],
  nowMs: number,
): Promise<PushId[]> {
  const lives = new Set<Life>();
  const rung = new Map<string, PushId>();
  for (const { pk, sk } of keys) {
    const { name, uid, subscriptionUid } = BELL.exec(pk)?.groups ?? BATCH.exec(pk)?.groups ?? {};
    if (name === undefined || uid === undefined) continue;
    const life = lifeOf(name as ScopedName, uid);
    if (subscriptionUid === undefined) lives.add(life);
    else if (sk === "BELL") rung.set(pk, { life, subscriptionUid });
  }
  const found = await Promise.all([...lives].map((life) => table.pushes.list(life)));
  for (const row of found.flat()) {
    if (!isDue(row, nowMs) || (row.awakeUntil ?? 0) > nowMs) continue;
    const { life, subscriptionUid } = row;
    rung.set(`STREAM#${life}#SUB#${subscriptionUid}#PUSH`, { life, subscriptionUid });
  }
  return [...rung.values()];
}

import { gunzipSync } from "node:zlib";
import {
  defaultTenant,
  type Ledger,
  type StoredEvent,
} from "../../../../packages/core/src/index.ts";
import { unpackBatch } from "../../../../packages/core/src/log/codec.ts";
import { hasPayload } from "../../../../packages/core/src/model/event.ts";
import { parseEvent } from "../../../../packages/core/src/model/event-text.ts";
import { HOUR_MS, NAME, openArchive } from "../archive/archive-world.ts";

export const KEY = "k3";

type Opened = Awaited<ReturnType<typeof openArchive>>;

/** Opens an archived stream with events in the archive, in the table, and in both. */
export async function openErasable(seed = 1): Promise<Opened> {
  const opened = await openArchive({ seed });
  const { publish, ledger, world } = opened;
  for (let round = 0; round < 3; round++) {
    await publish(20, 100);
    await publish(3);
    await ledger.archive(defaultTenant, NAME);
    world.nowMs += HOUR_MS;
  }
  await publish(20, 100);
  return opened;
}

export const begin = (ledger: Ledger, key = KEY) =>
  ledger.createErasure(defaultTenant, NAME, { key, reason: "a model" });

/** Sweeps until every erasure is done. */
export async function finish({ ledger, world, pass }: Opened): Promise<void> {
  for (let tries = 0; tries < 8; tries++) {
    const failures = await ledger.sweepErasures({ budgetMs: 60_000 });
    if (failures.length > 0) throw failures[0];
    const { erasures } = await ledger.listErasures(defaultTenant, NAME, { limit: 100 });
    if (erasures.every(({ status }) => status === "done")) return;
    await pass(HOUR_MS);
    world.nowMs += HOUR_MS;
  }
  throw new Error("An erasure never ends");
}

/** Returns the objects that have events. The others are about erasures. */
export const segmentsIn = ({ stored }: Pick<Opened["bucket"], "stored">) =>
  [...stored].filter(([name]) => name.endsWith(".gz"));

/** Returns where an event of a key still has its data: in batches, and in objects. */
export function leftOf({ rows, bucket }: Opened, keys: readonly string[] = [KEY]): string[] {
  const has = (event: StoredEvent) => keys.includes(event.key) && hasPayload(event);
  const batches = rows("SEQ#").flatMap((item) => {
    if (item.k !== undefined) return [];
    const { f: first, n: count, b: batchId, t: publishedAt, r: rawBytes, d: payload } = item;
    const batch = { first, count, batchId, publishedAt, rawBytes, payload } as never;
    return unpackBatch(batch).some(has) ? [`batch ${first}`] : [];
  });
  const objects = segmentsIn(bucket).flatMap(([name, { body }]) => {
    const lines = gunzipSync(body).toString().trimEnd().split("\n");
    return lines.some((line) => has(parseEvent(line))) ? [name] : [];
  });
  return [...batches, ...objects];
}

/** Returns events as they are after the erasures of some keys, without the tombstones. */
export const afterErasing = (events: readonly StoredEvent[], keys: readonly string[] = [KEY]) =>
  events.map((event) => {
    if (!keys.includes(event.key)) return event;
    const { headers: _, ...rest } = event;
    return { ...rest, erased: true, data: "null" };
  });

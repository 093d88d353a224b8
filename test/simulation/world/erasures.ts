import { gunzipSync } from "node:zlib";
import { unpackBatch } from "../../../packages/core/src/log/codec.ts";
import { hasPayload, type StoredEvent } from "../../../packages/core/src/model/event.ts";
import { parseEvent } from "../../../packages/core/src/model/event-text.ts";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import type { Item } from "../dynamodb/value.ts";
import { STREAM } from "./plan.ts";
import type { World } from "./world.ts";

const BATCHES = /^STREAM#[^#]+#(?<uid>[^#]+)#P\d+$/;

/** Returns the erasures of the present life, as the store has them. */
const erasuresOf = ({ store }: World): Item[] => {
  const uid = store.peek({ pk: `STREAM#${STREAM}`, sk: "META" })?.uid;
  return [...store.items()].filter(
    (item) =>
      String(item.sk).startsWith("ERASURE#") &&
      String(item.pk).startsWith("STREAM#") &&
      item.uid === uid,
  );
};

/** Sweeps until no erasure is open. Time passes in between, and `pass` lets it. */
export async function finishErasures(
  world: World,
  chance: SeededRandom,
  pass: (ms: number) => Promise<unknown>,
): Promise<void> {
  const isOpen = () => erasuresOf(world).some(({ phase }) => phase !== "done");
  for (let tries = 0; tries < 20 && isOpen(); tries++) {
    await world
      .call(world.anyApi(chance), (ledger) => ledger.sweepErasures({ budgetMs: 60_000 }), 60_000)
      .catch(() => {});
    if (isOpen()) await pass(10 * 60_000);
  }
  if (isOpen()) world.fail(`internal: an erasure never ends: ${JSON.stringify(erasuresOf(world))}`);
}

/**
 * Searches the whole table and the whole bucket for what the erasures that are done have taken, and
 * asks the product as well.
 */
export async function checkErased(world: World, chance: SeededRandom): Promise<void> {
  const erasures = erasuresOf(world).filter(({ phase }) => phase === "done");
  for (const _ of erasures) world.recorder.count("erasure.done");
  const look = (event: StoredEvent, where: string): void => {
    const taken = erasures.some(
      ({ key, tombstone }) => event.key === key && event.sequence < Number(tombstone),
    );
    if (taken && hasPayload(event)) {
      world.fail(`${where} has event ${event.sequence} of ${event.key}, which was erased`);
    }
  };
  const uid = erasures[0]?.uid;
  if (uid === undefined) return;
  for (const item of world.store.items()) {
    const isBatch = String(item.sk).startsWith("SEQ#") && item.k === undefined;
    if (!isBatch || BATCHES.exec(String(item.pk))?.groups?.uid !== uid) continue;
    const { f: first, n: count, b: batchId, t: publishedAt, r: rawBytes, d: payload } = item;
    const batch = { first, count, batchId, publishedAt, rawBytes, payload } as never;
    for (const event of unpackBatch(batch)) look(event, `batch ${first}`);
  }
  for (const [name, { body }] of world.bucket.stored) {
    if (!name.includes(`/${uid}/`) || !name.endsWith(".gz")) continue;
    const lines = gunzipSync(body).toString().trimEnd().split("\n");
    for (const line of lines) look(parseEvent(line), name);
  }
  for (const { id } of erasures) {
    const found = await world.call(
      world.anyApi(chance),
      (ledger) => ledger.verifyErasure(defaultTenant, STREAM, String(id), undefined),
      60_000,
    );
    if (found.found !== null) world.fail(`an erasure has left ${JSON.stringify(found)}`);
  }
}

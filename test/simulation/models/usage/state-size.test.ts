import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { describe, expect, it } from "vitest";
import { defaultTenant } from "../../../../packages/core/src/index.ts";
import { DEPTH } from "../../../support/depth.ts";
import { DAY_MS, HOUR_MS, NAME, TABLE, type Through } from "../archive/archive-world.ts";
import { mortal } from "./mortal.ts";
import {
  MINUTE_MS,
  openState,
  playSizes,
  rowsSize,
  START_MS,
  type State,
  settle,
  sizeNow,
} from "./state-world.ts";

/**
 * These tests compare the size of the compacted state in usage with the log: the last version of
 * each key below the checkpoint.
 */

const SEEDS = Number(process.env.STATE_SEEDS ?? 3 * DEPTH);
describe("the size of a compacted state", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
    "[usage.stored] is that of the last versions below the checkpoint, through kills, deletions and changes of partitions (seed %i)",
    playSizes,
  );

  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))(
    "[usage.stored] is counted again after an older version has compacted, while events arrive and sweepers are killed (seed %i)",
    async (seed) => {
      const state = await openState({ seed, partitions: 1 + (seed % 2) });
      const { random, world, ledger, openLedger } = state;
      for (let round = 0; round < 4; round++) {
        for (let batch = 0; batch < 12; batch++) await state.publish(20, 300);
        await ledger.compact(defaultTenant, NAME);
        if (round === 2) await ledger.patchStream(defaultTenant, NAME, { partitions: 3 });
        await forget(state);
        for (let run = 0; run < 8; run++) {
          const { through, live } = mortal(random.between(5, 60), random.fraction() < 0.5);
          const sweeper = openLedger(500 + 10 * round + run, through);
          await Promise.all([live(sweeper.sweep()), state.publish(3, 300), live(sweeper.sweep())]);
          await settle();
        }
        await ledger.compact(defaultTenant, NAME);
        await ledger.sweep();
        expect(await sizeNow(state)).toBe(rowsSize(state));
        expect(rowsSize(state)).toBe(state.sizeOf(() => true));
        world.nowMs += random.between(30, 90) * MINUTE_MS;
      }
    },
  );

  it("[usage.stored] is counted again after its partition was not compacted for days", async () => {
    const state = await openState({ seed: 1 });
    const { world, ledger, store } = state;
    await putWithoutMove(state);
    world.nowMs += 8 * DAY_MS;
    store.expireItems({ lateMs: 0 });
    await ledger.sweep();
    await ledger.sweep();
    expect(await sizeNow(state)).toBe(state.sizeOf(() => true));
  });

  it("[usage.stored] is counted again after a repair found no event of the rows that were put", async () => {
    const state = await openState({ seed: 1 });
    const { world, ledger, store } = state;
    await putWithoutMove(state);
    const before = await sizeNow(state);
    world.nowMs += 40 * DAY_MS;
    store.expireItems({ lateMs: 0 });
    await ledger.repairNumbering(defaultTenant, NAME, { budgetMs: HOUR_MS });
    await ledger.sweep();
    expect(rowsSize(state)).not.toBe(before);
    expect(await sizeNow(state)).toBe(rowsSize(state));
  });

  it("[usage.stored] of a stream without events for months is known in each of its days", async () => {
    const state = await openState({ seed: 3 });
    const { world, ledger, pass } = state;
    await state.publish(20, 20);
    await ledger.compact(defaultTenant, NAME);
    await pass(60 * DAY_MS, 6 * HOUR_MS);
    await state.publish(5, 20);
    await ledger.compact(defaultTenant, NAME);
    await pass(30 * DAY_MS, 6 * HOUR_MS);
    const first = state.sizeOf(({ hour }) => hour < START_MS / HOUR_MS + 24);
    const at = async (day: number) => {
      const from = new Date(START_MS + day * DAY_MS).toISOString();
      const to = new Date(START_MS + (day + 1) * DAY_MS).toISOString();
      const query = { by: "stream", step: "day", from, to, limit: 10 };
      const page = await ledger.getUsage(defaultTenant, query as never, { covers: () => true });
      return page.usage.map(({ stored }) => stored?.compactedBytes);
    };
    expect(await at(30)).toEqual([first]);
    expect(await at(75)).toEqual([state.sizeOf(() => true)]);
    expect(world.nowMs).toBeGreaterThan(START_MS + 89 * DAY_MS);
  });

  it("[usage.stored] costs no request, and no write unit on a row that has room for it", async () => {
    const state = await openState({ seed: 2 });
    const sent = () => state.store.tally.get("sent.update") ?? 0;
    const units = () => state.store.tally.get("capacity.write") ?? 0;
    await state.publish(100, 1_000);
    const before = { sent: sent(), units: units() };
    await state.ledger.compact(defaultTenant, NAME);
    const rows = state.store.items().filter(({ pk }) => String(pk).includes("#COMPACT#")).length;
    expect(sent() - before.sent).toBe(rows + 1);
    expect(units() - before.units).toBe(rows + 1);
  });
});

/** Compacts. Then a compactor is killed after it has put its rows, before the checkpoint moves. */
async function putWithoutMove(state: State): Promise<void> {
  await state.publish(20, 20);
  await state.ledger.compact(defaultTenant, NAME);
  await state.publish(20, 20);
  let left = new Set(state.log.slice(-20).map(({ key }) => key)).size;
  const through: Through = (run, name) =>
    name.includes("UpdateCommand") && left-- <= 0 ? new Promise(() => {}) : run();
  void state.openLedger(2, through).compact(defaultTenant, NAME);
  await settle();
}

/** Makes rows and checkpoints as a version writes them that counts no state. */
async function forget({ store }: Pick<State, "store">): Promise<void> {
  const client = store.client() as unknown as { send(command: object): Promise<unknown> };
  for (const { pk, sk, usage } of store.items()) {
    const of = { TableName: TABLE, Key: { pk, sk } };
    if (sk === "CHECKPOINT" && Array.isArray(usage)) {
      const bare = usage.map(([hour, events, bytes]) => [hour, events, bytes]);
      await client.send(
        new UpdateCommand({
          ...of,
          UpdateExpression: "SET #u = :u",
          ExpressionAttributeNames: { "#u": "usage" },
          ExpressionAttributeValues: { ":u": bare },
        }),
      );
    }
    if (String(pk).includes("#COMPACT#")) {
      await client.send(
        new UpdateCommand({
          ...of,
          UpdateExpression: "REMOVE #o, #v",
          ExpressionAttributeNames: { "#o": "o", "#v": "v" },
        }),
      );
    }
  }
}

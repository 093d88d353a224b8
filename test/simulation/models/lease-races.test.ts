import { PutCommand } from "@aws-sdk/lib-dynamodb";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Life } from "../../../packages/core/src/model/names.ts";
import { createTable } from "../../../packages/core/src/table/table.ts";
import { DEPTH } from "../../support/depth.ts";
import { SEED } from "../../support/seed.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";
import { leaseScenarios } from "./subscription/lease-scenarios.ts";
import { createLeaseWorld } from "./subscription/lease-world.ts";

const RUNS = Number(process.env.RUNS ?? 75 * DEPTH);
const TABLE = "leases";
const TAKEN = 2;

describe("workers that race for a lease", () => {
  it.each(leaseScenarios)("[lease.fencing] $name", async ({ play }) => {
    expect(await play()).toEqual([]);
  });

  it("[lease.fencing] one of two takes and a commit succeeds, in whatever order they arrive", async () => {
    const race = await prepareRace();
    const outcomes = new Map<string, number>();
    const property = fc.asyncProperty(fc.scheduler(), fc.nat(), async (scheduler, seed) => {
      const { row, b, c, commit } = await race(seed, scheduler);
      const winner = String(row.o);
      outcomes.set(winner, (outcomes.get(winner) ?? 0) + 1);
      // A commit keeps its worker's lease, so a later worker finds nothing to take.
      expect({ token: row.k, next: row.n }).toEqual(
        winner === "a" ? { token: 1, next: 3 } : { token: 2, next: 1 },
      );
      expect(commit?.row.next === 3).toBe(winner === "a");
      expect(b !== undefined).toBe(winner === "b");
      expect(c !== undefined).toBe(winner === "c");
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
    console.log(`lease races: SEED=${SEED} RUNS=${RUNS}`, Object.fromEntries(outcomes));
    expect([...outcomes.keys()].sort()).toEqual(["a", "b", "c"]);
  });
});

/**
 * Prepares a partition that `a` has held and may have lost. `a` commits while `b` and `c` try to
 * take over.
 */
async function prepareRace() {
  const world = await createLeaseWorld();
  await world.server("one").poll("a");
  world.endLeases();
  const prepared = world.row();
  const nowMs = world.clock.now();
  let store = world.store;
  const table = createTable({
    client: { send: (command: never) => store.client().send(command) } as never,
    table: TABLE,
    clock: world.clock,
    random: seededRandom("race"),
  });
  const [, life = "", uid = ""] = /^STREAM#(.+)#SUB#(.+)$/.exec(String(prepared.pk)) ?? [];
  const place = { life: life as Life, subscriptionUid: uid, partition: 0, token: 1 };
  const lease = { token: TAKEN, nowMs, until: nowMs + 3_000 };
  const to = { partition: 0, batch: 1, next: 3, generation: Number(prepared.g), releaseCount: 0 };

  return async (seed: number, scheduler: fc.Scheduler) => {
    let gate = async (_label: string): Promise<void> => {};
    store = createFakeDynamo({
      tableName: TABLE,
      seed,
      nowMs: () => nowMs,
      gate: (label) => gate(label),
    });
    await store.client().send(new PutCommand({ TableName: TABLE, Item: prepared }));
    gate = (label) => scheduler.schedule(Promise.resolve(), label);
    // Some requests are executed and their answers lost. These are sent again.
    let lost = seed % 3;
    store.setFaults(() => ({ "error-after": lost-- > 0 ? 1 : 0 }));
    const [b, c, commit] = await scheduler.waitFor(
      Promise.all([
        table.leases.take(place, "b", lease),
        table.leases.take(place, "c", lease),
        table.subscriptions.commit(place.life, uid, to, { token: 1, until: lease.until }),
      ]),
    );
    expect(store.refusals).toEqual([]);
    return {
      row: store.peek({ pk: String(prepared.pk), sk: String(prepared.sk) }) ?? {},
      b,
      c,
      commit,
    };
  };
}

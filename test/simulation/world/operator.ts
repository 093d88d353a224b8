import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { STREAM } from "./plan.ts";
import { attempt } from "./readers.ts";
import { haveSubscription, newWorker, type Team } from "./team.ts";
import { park, processPage, receive, settle } from "./worker.ts";
import type { ClientWorld } from "./world.ts";

/** Retries and skips parked keys, and changes settings, now and then. */
export async function operate(world: ClientWorld, team: Team, times: number): Promise<void> {
  const random = world.random.fork(`operator of ${team.name} ${world.time.nowMs()}`);
  for (let done = 0; done < times; done++) {
    await world.sleep(random.fraction() * 1_500);
    if (world.isOver()) return;
    if (!team.exists) continue;
    const { skipped, name } = team;
    const what = random.fraction();
    if (what < 0.3) await changeSettings(world, team, random);
    else if (what < 0.4 && skipped !== undefined) {
      await release(world, team, { team: name, ...skipped, how: "skip", random });
    } else await releaseOne(world, team, random);
  }
}

async function changeSettings(world: ClientWorld, team: Team, random: SeededRandom): Promise<void> {
  const { name } = team;
  const { leaseSeconds, maxDeliveries } = world.plan;
  const deliveries = random.pick(maxDeliveries);
  const prefix = random.pick(["", "key-", "key-1"]);
  const what = random.pick(["lease", "deliveries", "filter"]);
  const asked = {
    ...(what === "lease" ? { leaseSeconds: leaseSeconds + random.between(0, 2) } : {}),
    ...(what === "deliveries" ? { maxDeliveries: deliveries === 0 ? null : deliveries } : {}),
    ...(what === "filter" ? { filter: prefix === "" ? null : { keyPrefix: prefix } } : {}),
  };
  const changed = await world.recorder.record(
    "operator",
    { op: "settings", team: name, ...(what === "filter" ? { keyPrefix: prefix } : {}) },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.patchSubscription(defaultTenant, STREAM, name, asked),
      ),
    () => ({ op: "settings" }),
  );
  if (changed !== undefined && team.name === name)
    team.counts = changed.maxDeliveries !== undefined;
}

/** Returns the parked keys, including those whose retry can continue only after a skip. */
async function listParked(world: ClientWorld, { name }: Team, random: SeededRandom) {
  const page = await attempt(world, "team.list", () =>
    world.call(world.anyApi(random), (ledger) =>
      ledger.listParked(defaultTenant, STREAM, name, { limit: 100 }),
    ),
  );
  return page?.parked.filter(({ status, expired }) => status === "parked" || expired === true);
}

async function releaseOne(world: ClientWorld, team: Team, random: SeededRandom): Promise<void> {
  const { name } = team;
  const parked = await listParked(world, team, random);
  if (parked === undefined || parked.length === 0 || team.name !== name) return;
  const { key, sequence, expired } = random.pick(parked);
  // Parking a retried key at a later event would count its earlier events as processed.
  if (!team.isDoubtful && expired !== true && random.chance(0.15)) {
    const again = random.pick(team.seen.get(key) ?? [sequence]);
    await park(world, { name: "operator" }, { team: name, key, sequence: again, random });
    return;
  }
  const how = expired === true || random.chance(0.3) ? "skip" : "retry";
  await release(world, team, { team: name, key, sequence, how, random });
}

export async function release(
  world: ClientWorld,
  team: Team,
  of: { team: string; key: string; sequence: number; how: "retry" | "skip"; random: SeededRandom },
): Promise<void> {
  const { team: name, key, sequence, how, random } = of;
  if (how === "skip") team.skipped = { key, sequence };
  const released = await world.recorder.record(
    "operator",
    how === "skip" ? { op: "skip", team: name, key, sequence } : { op: "retry", team: name, key },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.release(defaultTenant, STREAM, name, {
          key,
          how,
          sequence: how === "skip" ? sequence : undefined,
        }),
      ),
    () => ({ op: how }),
  );
  if (released === undefined) team.isDoubtful = true;
}

const DRAIN_TRIES = 120;

/**
 * After the faults, retries all parked keys and works until nothing is left. Returns whether it
 * succeeds.
 */
export async function drain(world: ClientWorld, team: Team): Promise<boolean> {
  const random = world.random.fork(`${team.name} last`);
  const worker = newWorker(`${team.base}-last`);
  for (let done = 0; done < DRAIN_TRIES; done++) {
    await world.sleep(200);
    if (!(await haveSubscription(world, team, random))) continue;
    const { name } = team;
    const parked = await listParked(world, team, random);
    for (const { key, sequence, expired } of parked ?? []) {
      const how = expired ? "skip" : "retry";
      await release(world, team, { team: name, key, sequence, how, random });
    }
    const page = await receive(world, team, worker, { random, limit: 1_000 });
    if (page === undefined) continue;
    await processPage(world, team, worker, { page, random, failing: 0 });
    await settle(world, team, worker, { page, random });
    const isEmpty = page.events.length === 0 && page.caughtUp && page.isWhole;
    // The page itself may have parked a key that was delivered too often.
    if (!isEmpty || (await listParked(world, team, random))?.length !== 0) continue;
    const { life } = world.readCursor(page.cursor);
    world.recorder.note({ op: "drained", team: name, life });
    return true;
  }
  return false;
}

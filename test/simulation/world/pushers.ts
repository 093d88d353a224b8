import type { Ledger } from "../../../packages/core/src/ledger.ts";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { PushId } from "../../../packages/core/src/table/push.entity.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { urlOf } from "./endpoint.ts";
import { release } from "./operator.ts";
import { STREAM } from "./plan.ts";
import { attempt } from "./readers.ts";
import { haveSubscription, recoverFrom, rename, type Team } from "./team.ts";
import type { Api, World } from "./world.ts";

/** A message in the queue of bells. It is durable, and delivered at least once. */
export type Bell = { readonly id: PushId; readonly atMs: number; readonly tries: number };

/** The queue of bells, and the processes at which a pusher is at work. */
export type Bells = { readonly waiting: Bell[]; readonly busy: Set<string> };

export const noBells = (): Bells => ({ waiting: [], busy: new Set() });

/** A message that is not deleted in time is delivered again. */
const REDELIVERED_MS = 30_000;
const FIRST_PAUSE_MS = 5_000;
/** The queue waits for so long. Then it takes the run for dead, and it may still be at work. */
const PATIENCE_MS = [15_000, 60_000];

const ring = ({ bells, time, recorder }: World, random: SeededRandom, ids: readonly PushId[]) => {
  for (const id of ids) {
    bells.waiting.push({ id, atMs: time.nowMs(), tries: 0 });
    if (!random.chance(0.1)) continue;
    recorder.count("bell.twice");
    bells.waiting.push({ id, atMs: time.nowMs(), tries: 0 });
  }
};

/** Rings for the records of the table stream, and for all pushes now and then. */
export async function runDispatcher(world: World): Promise<void> {
  const random = world.random.fork(`dispatcher ${world.time.nowMs()}`);
  while (!world.isOver()) {
    await world.sleep(random.between(20, 600));
    const keys = world.tap.takeRung();
    const isRepair = random.chance(0.02);
    if (keys.length === 0 && !isRepair) continue;
    const ids = await attempt(world, "dispatch", () =>
      world.call(world.anyApi(random), (ledger) =>
        isRepair ? ledger.listPushes() : ledger.ringPushes(keys),
      ),
    );
    if (ids !== undefined) ring(world, random, ids);
    else world.tap.ringAgain(keys);
  }
}

/** Lets pushers answer the bells. Each process runs one of them at a time. */
export async function runPushers(world: World): Promise<void> {
  const random = world.random.fork(`pushers ${world.time.nowMs()}`);
  while (!world.isOver()) {
    await world.sleep(random.between(5, 200));
    const bell = takeDue(world);
    const api = world.anyApi(random);
    if (bell === undefined) continue;
    if (world.bells.busy.has(api.process.name)) world.bells.waiting.push(bell);
    else void answer(world, api, bell, random);
  }
}

function takeDue({ bells: { waiting }, time }: World): Bell | undefined {
  const index = waiting.findIndex(({ atMs }) => atMs <= time.nowMs());
  return index === -1 ? undefined : waiting.splice(index, 1)[0];
}

/** Runs a push, and rings for what it has postponed, as the pusher function does. */
async function answer(world: World, api: Api, bell: Bell, random: SeededRandom): Promise<void> {
  const { bells, recorder, time, plan } = world;
  const { id, tries } = bell;
  const { process } = api;
  const later = (atMs: number, count: number) =>
    bells.waiting.push({ id, atMs, tries: Math.min(count, 8) });
  const isAlone = random.chance(0.8);
  const limits = {
    budgetMs: random.pick([500, 50_000]),
    awakeMs: plan.awakeMs,
    isRepeated: tries > 0,
  };
  const run = async (ledger: Ledger) => {
    bells.busy.add(process.name);
    try {
      return await (isAlone ? ledger.runPushAlone(id, limits) : ledger.runPush(id, limits));
    } finally {
      bells.busy.delete(process.name);
    }
  };
  let isKnown = false;
  const done = await attempt(world, "push", async () => {
    try {
      return await world.call(api, run, random.pick(PATIENCE_MS));
    } catch (error) {
      isKnown = error instanceof Error && error.name !== "NoAnswer";
      throw error;
    }
  });
  if (done === undefined) {
    later(time.nowMs() + (isKnown ? FIRST_PAUSE_MS * 2 ** tries : REDELIVERED_MS), tries + 1);
    return;
  }
  if (done.againAt === undefined) return;
  recorder.count("push.again");
  later(time.nowMs() + Math.max(0, done.againAt - process.clock.now()), 0);
}

/** Sets up the push of a team, and changes, switches and replays it now and then. */
export async function managePush(world: World, team: Team, times: number): Promise<void> {
  const random = world.random.fork(`manager of ${team.name} ${world.time.nowMs()}`);
  for (let done = 0; done < times; done++) {
    await world.sleep(random.fraction() * random.pick([500, 5_000, 20_000]));
    if (world.isOver()) return;
    if (!(await haveSubscription(world, team, random))) continue;
    const what = random.fraction();
    if (team.pushed !== team.name || what < 0.1) await setPush(world, team, random);
    else if (what < 0.2) await replay(world, team, random);
    else if (what < 0.3) await switchPush(world, team, random, random.chance(0.5));
    else await enable(world, team, random, ["disabled"]);
  }
}

/** Makes a call about a push. A team whose subscription is gone takes another one. */
async function ask<T>(
  world: World,
  team: Team,
  what: string,
  random: SeededRandom,
  run: (ledger: Ledger, name: string) => Promise<T>,
): Promise<T | undefined> {
  const { name } = team;
  let code: unknown;
  const answer = await attempt(world, what, async () => {
    try {
      return await world.call(world.anyApi(random), (ledger) => run(ledger, name));
    } catch (error) {
      code = error instanceof Error && "code" in error ? error.code : undefined;
      throw error;
    }
  });
  if (code === "subscription-not-found" || code === "stream-not-found") rename(team, name);
  return answer;
}

async function setPush(world: World, team: Team, random: SeededRandom): Promise<void> {
  const { name } = team;
  const settings = {
    url: urlOf(name),
    format: random.pick(["standard", "cloudevents"] as const),
    concurrency: random.pick([1, 2, 8]),
    timeoutSeconds: random.pick([1, 5]),
  };
  const set = await ask(world, team, "push.set", random, (ledger) =>
    ledger.putPush(defaultTenant, STREAM, name, settings),
  );
  if (set !== undefined) team.pushed = name;
}

const switchPush = (world: World, team: Team, random: SeededRandom, on: boolean) =>
  ask(world, team, on ? "push.on" : "push.off", random, (ledger, name) =>
    ledger.switchPush(defaultTenant, STREAM, name, on),
  );

/** Enables a push with one of these states. */
async function enable(
  world: World,
  team: Team,
  random: SeededRandom,
  states: readonly string[],
): Promise<void> {
  const { name } = team;
  const push = await ask(world, team, "push.get", random, (ledger) =>
    ledger.getPush(defaultTenant, STREAM, name),
  );
  if (push === undefined || !states.includes(push.status)) return;
  world.recorder.count(`push.${push.status}-${push.disabledBecause ?? ""}`);
  if (push.disabledBecause === "retention-passed") {
    await recoverFrom(world, team, name, { code: "retention-passed", random });
  }
  await switchPush(world, team, random, true);
}

async function replay(world: World, team: Team, random: SeededRandom): Promise<void> {
  const { name } = team;
  await world.recorder.record(
    "operator",
    { op: "seek", team: name },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.replayPush(defaultTenant, STREAM, name, { from: "earliest" }),
      ),
    () => ({ op: "seek" }),
  );
}

/** Lets the endpoint be away now and then. */
export async function runOutages(world: World): Promise<void> {
  const random = world.random.fork(`outages ${world.time.nowMs()}`);
  for (let done = 0; done < world.plan.endpoint.outages && !world.isOver(); done++) {
    await world.sleep(random.between(0, 5_000));
    if (world.isOver()) return;
    world.endpoint.setOut(true);
    world.recorder.count("endpoint.outage");
    await world.sleep(random.pick([300, 3_000, 20_000]));
    world.endpoint.setOut(false);
  }
}

const DRAIN_TRIES = 60;

/**
 * After the faults, frees what is parked and pushes until nothing is left. Returns whether it
 * succeeds.
 */
export async function drainPush(world: World, team: Team): Promise<boolean> {
  const random = world.random.fork(`${team.name} last`);
  for (let done = 0; done < DRAIN_TRIES; done++) {
    await world.sleep(500);
    if (!(await haveSubscription(world, team, random))) continue;
    if (team.pushed !== team.name) await setPush(world, team, random);
    await enable(world, team, random, ["disabled", "failing"]);
    const { name } = team;
    const parked = await ask(world, team, "push.parked", random, (ledger) =>
      ledger.listParked(defaultTenant, STREAM, name, { limit: 100 }),
    );
    for (const { key, sequence, status, expired } of parked?.parked ?? []) {
      const how = expired === true ? "skip" : "retry";
      if (status === "parked" || expired === true) {
        await release(world, team, { team: name, key, sequence, how, random });
      }
    }
    const ids = await attempt(world, "dispatch", () =>
      world.call(world.anyApi(random), (ledger) => ledger.listPushes()),
    );
    for (const id of ids ?? []) {
      const api = world.anyApi(random);
      if (world.bells.busy.has(api.process.name)) continue;
      await answer(world, api, { id, atMs: 0, tries: 0 }, random);
    }
    const view = await ask(world, team, "push.lag", random, (ledger) =>
      ledger.getSubscription(defaultTenant, STREAM, name),
    );
    const life = world.tap.liveUid(STREAM);
    if (view?.lag.events !== 0 || parked?.parked.length !== 0 || life === undefined) continue;
    world.recorder.note({ op: "drained", team: name, life });
    return true;
  }
  return false;
}

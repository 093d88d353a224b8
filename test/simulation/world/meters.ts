import { defaultTenant, tenantOf } from "../../../packages/core/src/model/names.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { STREAM } from "./plan.ts";
import type { Api, World } from "./world.ts";

const METERED_TENANT = tenantOf("acme");
const CALLER = { tenant: METERED_TENANT, keyId: "root" } as never;
const PER_SECOND = 20;
const DAY_MS = 86_400_000;

/** Sets the quota of a tenant. */
export async function setQuota(world: World, chance: SeededRandom): Promise<void> {
  await world.call(world.anyApi(chance), (ledger) =>
    ledger.setTenantQuota(METERED_TENANT, { requestsPerSecond: PER_SECOND }),
  );
  world.recorder.note({ op: "quota", perSecond: PER_SECOND });
}

/** Takes one from the quota. */
async function take(world: World, api: Api, kind: "data" | "administration"): Promise<void> {
  const mustKnow = kind === "administration";
  await world.recorder.record(
    "meter",
    { op: "meter", kind },
    () =>
      world.call(api, (ledger) => ledger.takeQuota(CALLER, { requestsPerSecond: 1 }, { mustKnow })),
    (applied) => ({ op: "meter", isLimited: applied.length > 0 }),
  );
}

/** Sends requests through all processes, about as many as the quota allows, while others work. */
export async function runMeter(world: World, name: string): Promise<void> {
  const random = world.random.fork(name);
  while (!world.isOver()) {
    await world.sleep(random.between(10, 100));
    void take(world, world.anyApi(random), random.chance(0.1) ? "administration" : "data");
  }
}

const THIRST_MS = 20_000;
const EVERY_MS = 10;

/** After the faults, asks each process for more than the quota allows. */
export async function askForMore(world: World): Promise<void> {
  // By then every process knows the quota, and nothing from before is left.
  await world.sleep(65_000);
  world.recorder.note({ op: "thirst" });
  for (let ms = 0; ms < THIRST_MS; ms += EVERY_MS) {
    for (const api of world.apis) void take(world, api, "data");
    await world.sleep(EVERY_MS);
  }
  world.recorder.note({ op: "quenched" });
  await world.sleep(1_000);
}

/** Returns whether an ended life has data in the table. Its last events may not be counted then. */
export const hasEndedLives = ({ store }: World): boolean =>
  [...store.items()].some(({ pk }) => pk === "REMOVAL");

/** Notes what usage says about everything that was published. */
export async function noteUsage(
  world: World,
  chance: SeededRandom,
  sinceMs: number,
): Promise<void> {
  const { recorder, store, time, tap } = world;
  const from = new Date(sinceMs - DAY_MS).toISOString();
  const to = new Date(time.nowMs() + DAY_MS).toISOString();
  const query = { by: "stream", step: "day", from, to, limit: 1_000 } as never;
  const { usage } = await world.call(
    world.anyApi(chance),
    (ledger) => ledger.getUsage(defaultTenant, query, { covers: (name) => name === STREAM }),
    60_000,
  );
  const state = `STREAM#${STREAM}#${store.peek({ pk: `STREAM#${STREAM}`, sk: "META" })?.uid}#COMPACT#`;
  const rows = [...store.items()].filter(({ pk, x }) => String(pk).startsWith(state) && x !== true);
  recorder.count("usage.read");
  if (tap.liveUid(STREAM) === undefined) return;
  recorder.note({
    op: "usage",
    events: usage.reduce((sum, { published }) => sum + published.events, 0),
    isWhole: !hasEndedLives(world) && !recorder.counts.has("expired.unseen"),
    stateBytes: usage.at(-1)?.stored?.compactedBytes ?? 0,
    rowBytes: rows.reduce((sum, { r }) => sum + Number(r) - 3, 0),
  });
}

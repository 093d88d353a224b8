import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { STREAM } from "./plan.ts";
import { attempt } from "./readers.ts";
import type { ClientWorld } from "./world.ts";

/** A subscription that several workers share and an operator manages. */
export type Team = {
  readonly base: string;
  /** The name of its subscription. It is never used again in another life of the stream. */
  name: string;
  names: number;
  /** Settles once a worker has tried to create the subscription. */
  making: Promise<boolean> | undefined;
  exists: boolean;
  /** Whether failing events may be left to `maxDeliveries`. */
  counts: boolean;
  /** The last event that was skipped, so that the skip can be sent again. */
  skipped: { readonly key: string; readonly sequence: number } | undefined;
  /** True if the outcome of a release is unknown, so that a key may be released at any time. */
  isDoubtful: boolean;
  /** The subscription whose push is set up, if any. */
  pushed: string | undefined;
  /** The sequences that pages have delivered, by key. */
  readonly seen: Map<string, number[]>;
  readonly workers: readonly Worker[];
};

/** One of the workers that share the subscription. It does one thing at a time. */
export type Worker = {
  readonly base: string;
  name: string;
  names: number;
  busy: boolean;
  /** The cursor to read on from, when the worker has not committed what it read. */
  after: string | undefined;
};

export const newWorker = (base: string): Worker => ({
  base,
  name: base,
  names: 1,
  busy: false,
  after: undefined,
});

export const newTeam = ({ plan }: ClientWorld, base: string): Team => ({
  base,
  name: base,
  names: 1,
  making: undefined,
  exists: false,
  counts: false,
  skipped: undefined,
  isDoubtful: false,
  pushed: undefined,
  seen: new Map(),
  workers: Array.from({ length: plan.workers }, (_, index) => newWorker(`${base}-worker-${index}`)),
});

/** Returns whether the team has a subscription. Creates one if it has none. */
export async function haveSubscription(
  world: ClientWorld,
  team: Team,
  random: SeededRandom,
): Promise<boolean> {
  if (team.exists) return true;
  team.making ??= subscribe(world, team, random).finally(() => {
    team.making = undefined;
  });
  return team.making;
}

async function subscribe(world: ClientWorld, team: Team, random: SeededRandom): Promise<boolean> {
  const { leaseSeconds } = world.plan;
  const deliveries = random.pick(world.plan.maxDeliveries);
  const counted = deliveries === 0 ? {} : { maxDeliveries: deliveries };
  const config = { name: team.name, start: "earliest", leaseSeconds, ...counted } as const;
  const answer = await attempt(world, "team.subscribe", () =>
    world.call(world.anyApi(random), (ledger) =>
      ledger.createSubscription(defaultTenant, STREAM, config),
    ),
  );
  if (answer?.created === true) {
    team.exists = true;
    team.counts = deliveries !== 0;
    for (const worker of team.workers) worker.after = undefined;
    return true;
  }
  // This call or an earlier one may have created it, perhaps in another life of the stream.
  rename(team, config.name);
  return false;
}

/** Replaces the subscription of a name by another one, unless that has already been done. */
export function rename(team: Team, name: string): void {
  if (team.name !== name) return;
  team.exists = false;
  team.skipped = undefined;
  team.isDoubtful = false;
  team.seen.clear();
  team.names += 1;
  team.name = `${team.base}-${team.names}`;
}

const GONE = new Set(["subscription-not-found", "stream-not-found"]);
const PASSED = new Set(["retention-passed", "bootstrap-expired"]);

/** Handles a refusal: the worker takes another subscription, or starts again. */
export async function recoverFrom(
  world: ClientWorld,
  team: Team,
  name: string,
  { code, random }: { code: string; random: SeededRandom },
): Promise<void> {
  if (GONE.has(code)) rename(team, name);
  if (!PASSED.has(code) || team.name !== name) return;
  await world.recorder.record(
    "operator",
    { op: "seek", team: name },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.seek(defaultTenant, STREAM, name, { to: "earliest" }),
      ),
    () => ({ op: "seek" }),
  );
}

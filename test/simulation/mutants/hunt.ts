import { join } from "node:path";
import { archiveScenarios } from "../models/archive/archive-scenarios.ts";
import { lockScenarios } from "../models/archive/lock-scenarios.ts";
import { frozenPublishers } from "../models/frozen-publishers.ts";
import { growthScenarios } from "../models/growth/growth-scenarios.ts";
import { placesScenarios } from "../models/places/places-scenarios.ts";
import { playPlaces } from "../models/places/play-places.ts";
import { playBootstrapScenarios } from "../models/play-scenarios.ts";
import { readingScenarios } from "../models/reading-scenarios.ts";
import { retentionScenarios } from "../models/retention-scenarios.ts";
import { fencingScenarios } from "../models/subscription/fencing-scenarios.ts";
import { idleScenarios } from "../models/subscription/idle-scenarios.ts";
import { playLeaseScenarios } from "../models/subscription/lease-scenarios.ts";
import { parkingScenarios } from "../models/subscription/parking-scenarios.ts";
import { playSpaces } from "../models/subscription/parking-space.ts";
import { positionScenarios } from "../models/subscription/position-scenarios.ts";
import { playScenarios } from "../models/subscription/scenario.ts";
import { playParkingPlans } from "../models/subscription/simulated-parking.ts";
import { playSizes } from "../models/usage/state-world.ts";
import "../world/quick-electrodb.ts";
import { simulate } from "../world/simulate.ts";

/** The core of this copy. */
const CORE = join(import.meta.dirname, "../../../packages/core/src");
const stories = {
  leases: playLeaseScenarios,
  bootstraps: () => playBootstrapScenarios(CORE),
  parking: playParkingPlans,
  subscriptions: () =>
    playScenarios([
      ...parkingScenarios,
      ...positionScenarios,
      ...fencingScenarios,
      ...idleScenarios,
    ]),
  retention: () => playScenarios(retentionScenarios(1)),
  reading: () => playScenarios(readingScenarios(1)),
  growth: () => playScenarios(growthScenarios),
  archive: () => playScenarios([...archiveScenarios, ...lockScenarios]),
  exits: playSpaces,
  sizes: () =>
    playScenarios(
      [1, 2, 3].map((seed) => ({ name: `sizes ${seed}`, play: () => playSizes(seed) })),
    ),
  places: () =>
    playScenarios([
      ...placesScenarios,
      ...Array.from({ length: 30 }, (_, seed) => ({
        name: `places ${seed}`,
        play: () => playPlaces(seed),
      })),
    ]),
  frozen: () => playScenarios(frozenPublishers),
};

/** Plays seeds until one reports violations, and prints `{ seed, played, violations }`. */
const { seeds, from, count, plan, minutes, by } = JSON.parse(process.argv[2] ?? "{}");
/** Shared subscriptions and bounded keys take much of a seed's time, and few rules need them. */
const of = { teams: 0, holders: 0, archived: false, ...plan };
const endMs = Date.now() + minutes * 60_000;
let played = 0;

async function isKilledBy(seed: string): Promise<boolean> {
  played++;
  const story = stories[by as keyof typeof stories];
  const violations = story === undefined ? (await simulate(seed, of)).violations : await story();
  if (violations.length === 0) return false;
  const names = [...new Set(violations.map(({ name }) => name))];
  console.log(JSON.stringify({ seed, played, violations: names, detail: violations[0]?.detail }));
  return true;
}

async function hunt(): Promise<void> {
  for (const seed of seeds) if (await isKilledBy(seed)) return;
  // A scenario does not depend on the seed, so it runs once.
  const most = by === undefined ? count : 0;
  for (let seed = from; seed < from + most && Date.now() < endMs; seed++) {
    if (await isKilledBy(String(seed))) return;
  }
  console.log(JSON.stringify({ played, violations: [] }));
}

await hunt();
process.exit(0);

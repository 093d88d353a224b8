import { seededRandom } from "../../dynamodb/seeded-random.ts";
import { DAY_MS } from "../archive/archive-world.ts";
import { happen, hold, openPlaces, type PlacesTally, use } from "./places-world.ts";

const STEPS = 30;
const HELD_MAX = 5;

/** Plays a random program. Throws when a reader silently misses an event. */
export async function playPlaces(seed: number, tally: PlacesTally = {}): Promise<void> {
  const random = seededRandom(`places ${seed}`);
  const opened = await openPlaces(random, seed);
  const held: NonNullable<Awaited<ReturnType<typeof hold>>>[] = [];
  for (let step = 0; step < STEPS; step++) {
    const what = random.pick(["happen", "happen", "hold", "use"]);
    if (what === "happen") await happen(opened);
    else if (what === "hold") {
      const made = await hold(opened);
      if (made !== undefined) held.push(made);
      if (held.length > HELD_MAX) held.shift();
      opened.world.nowMs += 1;
    } else if (held.length > 0) await use(opened, random.pick(held), tally);
  }
  await opened.pass(DAY_MS, DAY_MS);
  for (const each of held) await use(opened, each, tally);
}

import type { SeededRandom } from "../../simulation/dynamodb/seeded-random.ts";
import type { ClientWorld } from "../../simulation/world/world.ts";
import { sharedMs } from "./box.ts";
import type { Span } from "./change-times.ts";
import type { Database } from "./database.ts";
import type { Killable, Pausable } from "./killable.ts";

type Disturbed = Pick<ClientWorld, "isOver" | "sleep" | "recorder"> & {
  /** The times in which a process was dead or paused. */
  readonly disturbances: Span[];
};

/** Kills and pauses processes, one after the other, until the run is over. */
export async function disturbProcesses(
  { isOver, sleep, recorder, disturbances }: Disturbed,
  random: SeededRandom,
  killables: readonly Killable[],
): Promise<void> {
  while (!isOver()) {
    await sleep(random.between(1_500, 6_000));
    if (isOver()) return;
    const victim = random.pick(killables);
    const fromMs = sharedMs();
    if (random.chance(0.5)) {
      await victim.kill();
      recorder.count(`nemesis.kill.${victim.name}`);
    } else {
      await pause(victim, random);
      recorder.count(`nemesis.pause.${victim.name}`);
    }
    disturbances.push({ fromMs, toMs: sharedMs() });
  }
}

const pause = (victim: Pausable, random: SeededRandom): Promise<void> =>
  victim.pause(random.between(500, 8_000));

/** Nothing happens while the database is paused, so it is left alone for most of the time. */
const PAUSES_EVERY_MS = [15_000, 45_000] as const;

/** Pauses the database now and then until the run is over. */
export async function pauseDatabase(
  { isOver, sleep, recorder, disturbances }: Disturbed,
  random: SeededRandom,
  database: Pausable,
): Promise<void> {
  const [least, most] = PAUSES_EVERY_MS;
  for (let waitMs = random.between(least, most); !isOver(); waitMs -= 500) {
    await sleep(500);
    if (waitMs > 0 || isOver()) continue;
    const fromMs = sharedMs();
    await pause(database, random);
    disturbances.push({ fromMs, toMs: sharedMs() });
    recorder.count("nemesis.pause.database");
    waitMs = random.between(least, most);
  }
}

/**
 * The number of publishes that are acknowledged before each kill, because a kill proves something
 * only under load.
 */
const ACKNOWLEDGED_BETWEEN = 30;

/** Kills the database the given number of times. */
export async function killDatabase(
  { sleep, recorder }: Pick<Disturbed, "sleep" | "recorder">,
  random: SeededRandom,
  {
    database,
    kills,
    acknowledged,
  }: {
    readonly database: Database;
    readonly kills: number;
    /** Returns how many publishes have been acknowledged. */
    readonly acknowledged: () => number;
  },
): Promise<void> {
  for (let done = 0; done < kills; done++) {
    const goal = acknowledged() + ACKNOWLEDGED_BETWEEN;
    while (acknowledged() < goal) await sleep(100);
    await sleep(random.between(500, 3_000));
    await database.kill();
    recorder.count("nemesis.kill.database");
  }
}

import type { SeededRandom } from "../model/fake/seeded-random.ts";
import type { ClientWorld } from "../sim/world.ts";
import type { Database } from "./database.ts";
import type { Killable } from "./killable.ts";

/** Kills and stops processes, one after the other, until it is over. */
export async function disturbProcesses(
  world: ClientWorld,
  random: SeededRandom,
  killables: readonly Killable[],
): Promise<void> {
  while (!world.isOver()) {
    await world.sleep(random.between(1_500, 6_000));
    if (world.isOver()) return;
    const victim = random.pick(killables);
    if (random.chance(0.5)) {
      await victim.kill();
      world.recorder.count(`nemesis.kill.${victim.name}`);
    } else {
      await victim.pause(random.between(500, 8_000));
      world.recorder.count(`nemesis.pause.${victim.name}`);
    }
  }
}

/** A kill proves something only under load: so many publishes are acknowledged before each. */
const ACKNOWLEDGED_BETWEEN = 30;

/** Kills the database so many times. */
export async function killDatabase(
  world: ClientWorld,
  random: SeededRandom,
  database: Database,
  kills: number,
): Promise<void> {
  const acknowledged = () => world.recorder.counts.get("publish.ok") ?? 0;
  for (let done = 0; done < kills; done++) {
    const goal = acknowledged() + ACKNOWLEDGED_BETWEEN;
    while (acknowledged() < goal) await world.sleep(20);
    await world.sleep(random.between(500, 3_000));
    await database.kill();
    world.recorder.count("nemesis.kill.database");
  }
}

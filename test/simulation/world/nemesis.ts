import { runRestore } from "./restore-nemesis.ts";
import type { World } from "./world.ts";

/** Freezes, kills and restarts processes during a phase, and sets their clocks. */
export async function runNemesis(world: World, phase: number): Promise<void> {
  const { plan, apis, recorder } = world;
  const random = world.random.fork(`nemesis ${phase}`);
  const freeze = async (): Promise<void> => {
    await world.sleep(random.between(0, 5_000));
    const { process } = world.anyApi(random);
    if (world.isOver() || process.state() !== "running") return;
    process.freeze();
    recorder.count("nemesis.freeze");
    await world.sleep(random.pick(plan.freezesMs));
    process.thaw();
  };
  const kill = async (): Promise<void> => {
    await world.sleep(random.between(0, 5_000));
    const index = random.between(0, apis.length - 1);
    const api = apis[index];
    if (world.isOver() || api === undefined) return;
    api.process.kill();
    recorder.count("nemesis.kill");
    await world.sleep(random.pick([0, 500, 4_000]));
    while (world.restores.stopped) await world.sleep(100);
    // A restore or another kill may have put another process in its place.
    if (apis[index] === api) apis[index] = world.startApi(api.name);
  };
  const setClock = async (): Promise<void> => {
    await world.sleep(random.between(0, 5_000));
    const { process } = world.anyApi(random);
    // If the wall clock is set back while the monotonic clock is stopped, the length of a freeze is
    // hidden.
    if (world.isOver() || plan.monotonicStops || process.state() !== "running") return;
    process.setSkew(random.between(-plan.skewMs, plan.skewMs));
    recorder.count("nemesis.clock");
  };
  const restoreSome = async (): Promise<void> => {
    const chance = random.fork("restores");
    for (let done = 0; done < plan.restores; done++) await runRestore(world, chance);
  };
  const times = <T>(count: number, run: () => T): T[] => Array.from({ length: count }, run);
  await Promise.all([
    ...times(plan.freezes, freeze),
    ...times(plan.kills, kill),
    ...(plan.restores > 0 ? [restoreSome()] : []),
    ...(plan.skewMs > 0 && random.chance(0.3) ? [setClock()] : []),
  ]);
}

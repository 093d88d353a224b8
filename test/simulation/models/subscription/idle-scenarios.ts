import assert from "node:assert/strict";
import { type Scenario, scenario } from "./scenario.ts";
import { event, HOUR_MS, OF, type openServers, SUB, subscribe } from "./two-servers.ts";

/** These scenarios check what a process may trust while a subscription is idle, and how long. */

const SECOND_MS = 1_000;
const DAY_MS = 24 * HOUR_MS;

type World = ReturnType<typeof openServers>;

const poll = ({ here }: World) => here.poll(...OF, SUB, { limit: 10 });

/** Reads to the end, and then polls every second for some time. */
async function rest(world: World, idleMs: number): Promise<void> {
  const { here, driver } = world;
  await here.publish(...OF, [event("a", 1)]);
  await here.commit(...OF, SUB, (await poll(world)).cursor);
  for (let ms = 0; ms < idleMs; ms += SECOND_MS) {
    assert.deepEqual((await poll(world)).events, []);
    await driver.clock.sleep(SECOND_MS);
  }
}

/** Returns after how many milliseconds a poll delivers something. */
async function untilDelivered(world: World): Promise<number> {
  for (let ms = 0; ms < 120 * SECOND_MS; ms += SECOND_MS) {
    if ((await poll(world)).events.length > 0) return ms;
    await world.driver.clock.sleep(SECOND_MS);
  }
  return Infinity;
}

/** A seek through another process is seen in time. */
const seeks = [
  { idleMs: 10 * SECOND_MS, withinMs: 6 * SECOND_MS },
  { idleMs: 300 * SECOND_MS, withinMs: 31 * SECOND_MS },
].map(({ idleMs, withinMs }) =>
  scenario(
    `[poll.idle-cost] after ${idleMs / SECOND_MS} s, it sees a seek elsewhere in time`,
    async (world) => {
      await subscribe(world.here);
      await rest(world, idleMs);
      await world.there.seek(...OF, SUB, { to: "earliest" });
      const took = await untilDelivered(world);
      assert.ok(took <= withinMs, `it took ${took} ms`);
    },
  ),
);

/** The end of the log, at which a reader has looked again and again. */
const ends: readonly Scenario[] = [
  scenario(
    "[retention.passed] is refused at an end where no poll has looked for long",
    async (world) => {
      const { there, driver, store } = world;
      await subscribe(world.here);
      await rest(world, 10 * SECOND_MS);
      await there.publish(...OF, [event("missed", 2)]);
      for (let day = 0; day < 40; day += 10) {
        await driver.clock.sleep(10 * DAY_MS);
        await there.sweep({ budgetMs: 20_000 });
      }
      assert.ok(store.expireItems({ lateMs: 0 }) > 0);
      await assert.rejects(poll(world), { code: "retention-passed" });
    },
  ),
];

export const idleScenarios: readonly Scenario[] = [...seeks, ...ends];

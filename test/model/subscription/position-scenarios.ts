import assert from "node:assert/strict";
import type { Ledger } from "../../../packages/core/src/index.ts";
import { type Scenario, scenario } from "./scenario.ts";
import { event, OF, SUB, subscribe } from "./two-servers.ts";

/** Where a subscription stands, and what is said of it, whoever asks and however slowly. */

const poll = (ledger: Ledger, more: object = {}) =>
  ledger.poll(...OF, SUB, { limit: 1_000, ...more });
const dataOf = ({ events }: { events: readonly { data: unknown }[] }) =>
  events.map(({ data }) => Number(data));
/** A look at the positions of a subscription. */
const POSITIONS = /^QueryCommand .*#SUB#/;

/** What a process remembers is not replaced by what a slower look found. */
const memories: readonly Scenario[] = [
  scenario("[poll.caught-up] is not forgotten for a look from before a seek", async (world) => {
    const { here, holdAnswer, driver } = world;
    await subscribe(here);
    await here.publish(...OF, [event("a", 1)]);
    await here.commit(...OF, SUB, (await poll(here)).cursor);
    await driver.clock.sleep(6_000);
    const letGo = holdAnswer(POSITIONS);
    const slow = here.getSubscription(...OF, SUB);
    await driver.clock.sleep(100);
    await here.seek(...OF, SUB, { to: "earliest" });
    letGo();
    await slow;
    const page = await poll(here);
    assert.deepEqual(dataOf(page), [1]);
    await here.commit(...OF, SUB, page.cursor);
  }),

  scenario("[park.retry] is not forgotten for a look from before it", async (world) => {
    const { here, holdAnswer, driver } = world;
    await subscribe(here);
    await here.publish(...OF, [event("a", 1), event("b", 2)]);
    await here.park(...OF, SUB, { sequence: 1, reason: "" });
    await here.commit(...OF, SUB, (await poll(here)).cursor);
    await driver.clock.sleep(6_000);
    const letGo = holdAnswer(POSITIONS);
    const slow = here.getSubscription(...OF, SUB);
    await driver.clock.sleep(100);
    await here.release(...OF, SUB, "a", "retry");
    letGo();
    await slow;
    assert.deepEqual(dataOf(await poll(here)), [1]);
  }),

  scenario(
    "[sub.seek] is not forgotten for an earlier seek that is answered late",
    async (world) => {
      const { here, holdAnswer, driver } = world;
      await subscribe(here);
      await here.publish(...OF, [event("a", 1)]);
      const letGo = holdAnswer(/^TransactWriteCommand .*OFFSET/);
      const slow = here.seek(...OF, SUB, { to: "latest" });
      await driver.clock.sleep(100);
      await here.seek(...OF, SUB, { to: "earliest" });
      letGo();
      await slow;
      assert.deepEqual(dataOf(await poll(here)), [1]);
    },
  ),
];

export const positionScenarios: readonly Scenario[] = [...memories];

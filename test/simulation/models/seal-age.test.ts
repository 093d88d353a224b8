import { expect, it } from "vitest";
import { event, OF, openServers, subscribe } from "./subscription/two-servers.ts";

it("[stream.delete] a seal whose outcome is unknown for a minute is planned again from a new look", async () => {
  const { here, time, store, driver } = openServers();
  const story = async () => {
    await subscribe(here);
    await here.publish(...OF, [event("a", 1)]);
    store.setFaults((operation) => (operation === "put" ? { "timeout-before": 1 } : {}));
    const deleting = here.deleteStream(...OF).catch((error: unknown) => error);
    const looks = () => store.tally.all()["sent.query"] ?? 0;
    await driver.clock.sleep(5_000);
    const before = looks();
    await driver.clock.sleep(45_000);
    expect(looks()).toBe(before);
    await driver.clock.sleep(20_000);
    expect(looks()).toBeGreaterThan(before);
    store.setFaults();
    await deleting;
    await here.deleteStream(...OF);
    await expect(here.publish(...OF, [event("a", 2)])).rejects.toMatchObject({
      code: "stream-not-found",
    });
  };
  await time.finish(story());
});

import { afterAll, expect, it } from "vitest";
import { meterCapacity } from "../support/capacity.ts";
import { openPushTarget } from "./push-target.ts";

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
const { api, received, run, answer } = target;
afterAll(target.close);

const KEYS = 20;

const total = (requests: Readonly<Record<string, number>>): number =>
  Object.values(requests).reduce((sum, count) => sum + count, 0);

it("[push.order] the failures of a page cost few requests, and so do its retries", async () => {
  const { stream } = await target.pushed();
  answer(({ body: { key } }) => (key.startsWith("bad") ? 500 : 204));
  const names = Array.from({ length: KEYS }, (_, n) => [`bad-${n}`, `good-${n}`]).flat();
  for (const n of [1, 2])
    await api.publish(
      stream,
      names.map((key) => ({ key, data: { n } })),
    );
  const meter = meterCapacity(target.opened.client);
  const failed = await meter.measure(run);
  received.length = 0;
  answer(() => 204);
  aheadMs += 7_000;
  const retried = await meter.measure(run);
  const bad = names.filter((key) => key.startsWith("bad"));
  const sent = (of: string) => received.filter(({ body: { key } }) => key === of);
  for (const key of bad) {
    expect(sent(key).map(({ body: { data } }) => data)).toEqual([{ n: 1 }, { n: 2 }]);
  }
  expect(total(failed.requests)).toBeLessThan(4 * KEYS);
  expect(total(retried.requests)).toBeLessThan(3 * KEYS);
});

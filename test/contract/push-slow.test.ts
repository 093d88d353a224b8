import { afterAll, beforeEach, expect, it } from "vitest";
import * as described from "../../packages/protocol/src/described/index.ts";
import { meterCapacity } from "../support/capacity.ts";
import { openPushTarget } from "./push-target.ts";

/** These tests push to endpoints that do not answer, and beside workers that keep a partition. */

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
const { api, received, run, answer } = target;
afterAll(target.close);
beforeEach(() => {
  received.length = 0;
  answer(() => 204);
});

async function pushed(): Promise<string> {
  const stream = await api.newStream({ compaction: "none" });
  await api.createSubscription(stream, { name: "hook", start: "earliest" });
  const made = await api.send({
    method: "PUT",
    path: `/streams/${stream}/subscriptions/hook/push`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ url: target.url, timeoutSeconds: 1 }),
  });
  expect(made.status).toBe(201);
  return stream;
}
const stateOf = async (stream: string) => {
  const { body } = await api.send({ path: `/streams/${stream}/subscriptions/hook/push` });
  return described.Push.parse(body);
};
const end = (stream: string) =>
  api.send({ method: "DELETE", path: `/streams/${stream}/subscriptions/hook/push` });
const event = (key: string, n: number) => ({ key, data: { n } });
const sent = (key: string) =>
  received.filter(({ body }) => body.key === key).map(({ body }) => (body.data as { n: number }).n);

it("[push.outage] a key whose events are never answered makes no other key wait", async () => {
  const stream = await pushed();
  answer(({ body: { key } }) => (key === "bad" ? "nothing" : 204));
  await api.publish(stream, [event("bad", 1), event("good", 1), event("bad", 2)]);
  await run();
  expect([sent("good"), sent("bad")]).toEqual([[1], [1]]);
  expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 1 });
  aheadMs += 7_000;
  await api.publish(stream, [event("good", 2), event("other", 1)]);
  await run();
  expect([sent("good"), sent("other"), sent("bad")]).toEqual([[1, 2], [1], [1, 1]]);
  expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 1 });
  answer(() => 204);
  aheadMs += 37_000;
  await run();
  expect(sent("bad")).toEqual([1, 1, 1, 2]);
  target.release();
  await end(stream);
});

it("[push.outage] an endpoint that answers nothing at all is failing, with two parked keys at most", async () => {
  const stream = await pushed();
  answer(() => "nothing");
  for (let n = 0; n < 4; n++) {
    await api.publish(stream, [event(`k${n}`, n)]);
    await run();
  }
  const state = await stateOf(stream);
  expect(state.status).toBe("failing");
  expect(state.retryingKeys).toBeLessThanOrEqual(2);
  answer(() => 204);
  target.release();
  aheadMs += 37_000;
  await run();
  aheadMs += 37_000;
  await run();
  for (let n = 0; n < 4; n++) expect(new Set(sent(`k${n}`))).toEqual(new Set([n]));
  expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 0 });
  await end(stream);
});

it("[push.outage] an endpoint that is back is found, although the first keys always fail", async () => {
  const stream = await pushed();
  const all = Array.from({ length: 10 }, (_, n) => event(`k${n}`, n));
  answer(() => 503);
  await api.publish(stream, all);
  await run();
  expect(await stateOf(stream)).toMatchObject({ status: "failing", retryingKeys: 0 });
  answer(({ body: { key } }) => (["k0", "k1", "k2"].includes(key) ? 503 : 204));
  for (let probe = 0; probe < 6 && (await stateOf(stream)).status === "failing"; probe++) {
    aheadMs += 20 * 60_000;
    await run();
  }
  await run();
  for (let n = 3; n < 10; n++) expect(sent(`k${n}`)).toContain(n);
  expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 3 });
  await end(stream);
});

it("[push.outage] an endpoint that sometimes accepts events is not disabled", async () => {
  const stream = await pushed();
  for (let day = 0; day < 8; day++) {
    // Each probe has one success, and then three failures in a row.
    let accepted = 0;
    answer(() => (accepted++ === 0 ? 204 : 503));
    const some = Array.from({ length: 5 }, (_, n) => event(`${day}-${n}`, n));
    await api.publish(stream, some);
    await run();
    aheadMs += 29 * 3_600_000;
    await api.compact(stream).catch(() => {});
  }
  expect((await stateOf(stream)).status).not.toBe("disabled");
  await end(stream);
});

it("a push whose partitions a different worker holds ends, and looks again later", async () => {
  const stream = await pushed();
  await run();
  await api.commitAndPoll(stream, "hook", { consumer: "by-hand" });
  await api.publish(stream, [event("a", 1)]);
  let ran: Awaited<ReturnType<typeof run>> = [];
  const meter = meterCapacity(target.opened.client);
  const { requests } = await meter.measure(async () => {
    ran = await run();
  });
  expect(received).toEqual([]);
  expect(Object.values(requests).reduce((sum, count) => sum + count, 0)).toBeLessThan(40);
  expect(ran[0]?.againAt).toBeGreaterThan(Date.now() + aheadMs);
  // The worker has stopped without a word.
  aheadMs += 60_000;
  await run();
  expect(sent("a")).toEqual([1]);
  await end(stream);
});

import { afterAll, beforeEach, expect, it } from "vitest";
import { meterCapacity } from "../support/capacity.ts";
import { openPushTarget } from "./push-target.ts";

/** These tests push to endpoints that do not answer, and beside workers that keep a partition. */

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
const { api, received, run, answer, stateOf, deliveriesOf, end } = target;
afterAll(target.close);
beforeEach(() => {
  received.length = 0;
  answer(() => 204);
});

const pushed = async () => (await target.pushed({ timeoutSeconds: 1 })).stream;
/** An answer with this header makes a key wait for an hour. */
const RETRY_LATE = { "retry-after": "3600" };
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

it("[push.outage] an endpoint that is away for four days then gets everything in order", async () => {
  const stream = await pushed();
  answer(() => 503);
  const day = 24 * 3_600_000;
  for (let n = 0; n < 8; n++) {
    await api.publish(stream, [event("a", n), event("b", n), event("c", n)]);
    await run();
    aheadMs += day / 2;
    await target.opened.ledger.sweep();
  }
  expect(await stateOf(stream)).toMatchObject({ status: "failing", retryingKeys: 0 });
  const before = received.length;
  // Probes are at most a day apart, and a fifth of it more.
  expect(before).toBeLessThanOrEqual(8 * 3);
  answer(() => 204);
  aheadMs += 1.2 * day;
  await target.opened.ledger.sweep();
  await run();
  received.splice(0, before);
  const all = Array.from({ length: 8 }, (_, n) => n);
  for (const key of ["a", "b", "c"]) expect(sent(key), key).toEqual(all);
  expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 0 });
  await end(stream);
});

it("[push.failures] failures of the last seven days are listed, page by page, and no earlier ones", async () => {
  const stream = await pushed();
  const listed = async () => {
    const keys: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await deliveriesOf(stream, `?limit=1${cursor && `&cursor=${cursor}`}`);
      keys.push(...page.deliveries.map(({ key }) => key));
      ({ cursor } = page);
    }
    return keys;
  };
  answer(({ body: { key } }) => (key === "good" ? 204 : { status: 503, headers: RETRY_LATE }));
  await api.publish(stream, [event("old", 1), event("good", 1)]);
  await run();
  aheadMs += 3 * 24 * 3_600_000;
  await target.opened.ledger.sweep();
  const path = `/streams/${stream}/subscriptions/hook/parked/old/skip`;
  await api.send({ method: "POST", path });
  await api.publish(stream, [event("new", 1), event("good", 2), event("newer", 1)]);
  await run();
  expect(await listed()).toEqual(expect.arrayContaining(["old", "new", "newer"]));
  aheadMs += 4 * 24 * 3_600_000 + 60_000;
  const later = await listed();
  expect(later.toSorted()).toEqual(["new", "newer"]);
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

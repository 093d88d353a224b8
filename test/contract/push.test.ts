import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as described from "../../packages/protocol/src/described/index.ts";
import { openPushTarget, type Received } from "./push-target.ts";

/**
 * These tests push to a real receiver over HTTP. The clock can be ahead, so no test waits for a
 * delay.
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
const { api, received, run, answer, sendTo, stateOf, deliveriesOf, end } = target;
afterAll(target.close);
beforeEach(() => {
  received.length = 0;
  answer(() => 204);
});

const PAGE_PART = 64;
const open: string[] = [];
afterEach(async () => {
  for (const stream of open.splice(0)) await end(stream);
});

/** Advances the time. Publishing, also to the audit stream, needs a sweep once a week. */
async function wait(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5 * DAY_MS) {
    aheadMs += Math.min(left, 5 * DAY_MS);
    if (ms >= DAY_MS) await target.opened.ledger.sweep();
  }
}

const pushed = async (...how: Parameters<typeof target.pushed>) => {
  const made = await target.pushed(...how);
  open.push(made.stream);
  return made;
};
type Recorded = { readonly actor: string; readonly reason: string };
/** Returns the reason why the server disabled the push of a stream, from the audit stream. */
const recorded = async (stream: string) => {
  const key = `/streams/${stream}/subscriptions/hook/push`;
  const path = `/streams/_audit/events?from=earliest&type=disablePush&key=${encodeURIComponent(key)}`;
  const page = (await api.send({ path })).body as { events: { data: Recorded }[] };
  return page.events.flatMap(({ data }) => (data.actor === "server" ? data.reason : []));
};
const event = (key: string, n: number) => ({ key, type: "order.paid", data: { n } });
const sent = (key?: string) =>
  received
    .filter(({ body }) => key === undefined || body.key === key)
    .map(({ body }) => (body.data as { n: number }).n);
const isOf =
  (key: string) =>
  ({ body }: Received) =>
    body.key === key;

describe("a replay", () => {
  it("[push.replay] sends everything from a time on once more, in order for each key", async () => {
    const { stream } = await pushed();
    await api.publish(stream, [event("a", 1), event("b", 1)]);
    aheadMs += MINUTE_MS;
    const from = new Date(Date.now() + aheadMs).toISOString();
    await api.publish(stream, [event("a", 2), event("a", 3)]);
    await run();
    expect(sent("a")).toEqual([1, 2, 3]);
    received.length = 0;
    const replayed = await sendTo(stream, "/replay", "POST", { from });
    expect(described.Push.parse(replayed.body).status).toBe("enabled");
    expect(received).toEqual([]);
    await run();
    expect(sent()).toEqual([2, 3]);
    received.length = 0;
    await sendTo(stream, "/replay", "POST", { from: "earliest" });
    await run();
    expect([sent("a"), sent("b")]).toEqual([[1, 2, 3], [1]]);
  });

  it("[push.replay] begins the attempts of a key again that was given up", async () => {
    const { stream } = await pushed();
    answer((delivery) => (isOf("bad")(delivery) ? 500 : 204));
    await api.publish(stream, [event("bad", 1), event("good", 1)]);
    for (let attempt = 0; attempt < 11; attempt++) {
      await run();
      aheadMs += 29 * HOUR_MS;
    }
    expect(await stateOf(stream)).toMatchObject({ retryingKeys: 0, givenUpKeys: 1 });
    const replayed = await sendTo(stream, "/replay", "POST", { from: "earliest" });
    expect(described.Push.parse(replayed.body)).toMatchObject({ retryingKeys: 0, givenUpKeys: 0 });
    await run();
    expect(await stateOf(stream)).toMatchObject({ retryingKeys: 1, givenUpKeys: 0 });
    expect((await deliveriesOf(stream)).deliveries[0]).toMatchObject({ key: "bad", attempt: 1 });
  });

  it("[push.replay] is refused for anything that is neither earliest nor a time, and moves nothing", async () => {
    const { stream } = await pushed();
    await api.publish(stream, event("a", 1));
    await run();
    const { cursor } = (await api.browse(stream)).body;
    const far = new Date(Date.now() + aheadMs + HOUR_MS).toISOString();
    for (const from of ["latest", "bootstrap", "1", cursor, { cursor }, 1, null, far]) {
      const { body } = await sendTo(stream, "/replay", "POST", { from });
      expect(body).toMatchObject({ code: "invalid-request", errors: [{ pointer: "/from" }] });
    }
    await end(stream);
    const { body } = await sendTo(stream, "/replay", "POST", { from: "earliest" });
    expect(body).toMatchObject({ code: "push-not-found" });
    expect(await api.getSubscription(stream, "hook")).toMatchObject({ lag: { events: 0 } });
  });
});

describe("a push", () => {
  it("[push.signed] sends each event once, signed as Standard Webhooks, with its data as sent", async () => {
    const { stream, secret } = await pushed();
    await api.publish(stream, [event("a", 1), { key: "b", data: "<&é>", headers: { h: "1" } }]);
    await run();
    expect(received).toHaveLength(2);
    for (const { text, headers } of received) {
      const verified = new Webhook(secret).verify(text, headers as Record<string, string>);
      expect(verified).toMatchObject({ type: expect.any(String), data: expect.anything() });
      expect(headers["webhook-id"]).toMatch(/^[A-Za-z0-9_-]+_0_[12]$/);
      expect(() => new Webhook("whsec_AAAA").verify(text, headers as never)).toThrow();
    }
    expect(received[0]?.body).toMatchObject({ type: "order.paid", key: "a", sequence: 1 });
    await run();
    expect(received).toHaveLength(2);
    expect(await api.getSubscription(stream, "hook")).toMatchObject({ lag: { events: 0 } });
  });

  it("sends structured CloudEvents if asked", async () => {
    const { stream, secret } = await pushed({ format: "cloudevents" });
    await api.publish(stream, [event("a", 1)]);
    await run();
    const [delivery] = received;
    expect(delivery?.headers["content-type"]).toMatch(/^application\/cloudevents\+json/);
    expect(delivery?.body).toMatchObject({ specversion: "1.0", partitionkey: "a", data: { n: 1 } });
    new Webhook(secret).verify(delivery?.text ?? "", delivery?.headers as never);
  });

  it("[push.order] retries a key in its order, while all others flow", async () => {
    const { stream } = await pushed({}, 4);
    answer((delivery) => (isOf("bad")(delivery) ? { status: 500, body: "no\u0000t now" } : 204));
    for (const n of [1, 2, 3]) {
      await api.publish(stream, [event("bad", n), event("good", n), event(`other-${n}`, n)]);
    }
    await run();
    expect(sent("good")).toEqual([1, 2, 3]);
    expect(sent("bad")).toEqual([1]);
    expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 1 });
    const { deliveries } = await deliveriesOf(stream);
    expect(deliveries).toMatchObject([{ key: "bad", attempt: 1, status: 500, answer: "no t now" }]);
    await run();
    expect(sent("bad")).toEqual([1]);
    await wait(7 * SECOND_MS);
    await run();
    expect(sent("bad")).toEqual([1, 1]);
    expect((await deliveriesOf(stream)).deliveries.map(({ attempt }) => attempt)).toEqual([2, 1]);
    answer(() => 200);
    await api.publish(stream, [event("bad", 4)]);
    await run();
    expect(sent("bad")).toEqual([1, 1]);
    await wait(37 * SECOND_MS);
    await run();
    expect(sent("bad")).toEqual([1, 1, 1, 2, 3, 4]);
    expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 0 });
  });

  it("[sub.filter] passes events that the filter leaves out, also when none follows", async () => {
    const { stream } = await pushed();
    const subscription = `/streams/${stream}/subscriptions/hook`;
    await api.send({
      method: "PATCH",
      path: subscription,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ filter: { keyPrefix: "a" } }),
    });
    await api.publish(stream, [event("a", 1), event("b", 1)]);
    await run();
    await api.publish(stream, [event("b", 2)]);
    await run();
    expect(sent()).toEqual([1]);
    const { body } = await api.send({ path: subscription });
    expect(body).toMatchObject({ lag: { events: 0 } });
  });

  it("[push.order] waits as long as `Retry-After` says", async () => {
    const { stream } = await pushed();
    answer(() => ({ status: 429, headers: { "retry-after": "600" } }));
    await api.publish(stream, [event("a", 1)]);
    await run();
    await wait(9 * MINUTE_MS);
    answer(() => 200);
    await run();
    expect(received).toHaveLength(1);
    await wait(2 * MINUTE_MS);
    await run();
    expect(received).toHaveLength(2);
  });

  it("[push.order] gives a key up after its last attempt, and leaves it parked", async () => {
    const { stream } = await pushed();
    answer((delivery) => (isOf("bad")(delivery) ? 500 : 204));
    await api.publish(stream, [event("good", 1), event("bad", 1)]);
    for (let attempt = 0; attempt < 12; attempt++) {
      await run();
      await wait(29 * HOUR_MS);
      await api.compact(stream);
      await api.publish(stream, [event("good", attempt)]);
    }
    expect(sent("bad")).toHaveLength(11);
    expect(await stateOf(stream)).toMatchObject({ retryingKeys: 0, givenUpKeys: 1 });
  });

  it("[push.outage] holds its position while the endpoint refuses everything", async () => {
    const { stream } = await pushed();
    answer(() => 503);
    const all = Array.from({ length: 20 }, (_, n) => event(`k${n}`, n));
    await api.publish(stream, all);
    await run();
    const before = received.length;
    expect(before).toBeLessThanOrEqual(8 + 3);
    expect(await stateOf(stream)).toMatchObject({ status: "failing", retryingKeys: 0 });
    await run();
    expect(received).toHaveLength(before);
    await wait(7 * SECOND_MS);
    await run();
    expect(received.length - before).toBeLessThanOrEqual(3);
    expect(await stateOf(stream)).toMatchObject({ status: "failing", retryingKeys: 0 });
    answer(() => 200);
    await wait(37 * SECOND_MS);
    received.length = 0;
    await run();
    expect(new Set(sent())).toEqual(new Set(all.map(({ data }) => data.n)));
    expect(received).toHaveLength(20);
    expect(await stateOf(stream)).toMatchObject({ status: "enabled" });
  });

  it("[push.outage] an endpoint that is away for an hour then gets everything in order", async () => {
    const { stream } = await pushed({ concurrency: 4 }, 4);
    const downUntil = aheadMs + HOUR_MS;
    answer(() => (aheadMs < downUntil ? 503 : 204));
    const rounds = 30;
    let tries = 0;
    for (let n = 0; n < rounds; n++) {
      await api.publish(stream, [event("a", n), event("b", n), event("c", n), event("d", n)]);
      await run();
      expect((await stateOf(stream)).retryingKeys).toBeLessThanOrEqual(2);
      if (aheadMs < downUntil) tries = received.length;
      await wait(3 * MINUTE_MS);
    }
    // The probes are at most an hour apart.
    await wait(HOUR_MS + 15 * MINUTE_MS);
    await run();
    expect(tries).toBeLessThan(60);
    received.splice(0, tries);
    const all = Array.from({ length: rounds }, (_, n) => n);
    for (const key of ["a", "b", "c", "d"]) expect([...new Set(sent(key))], key).toEqual(all);
    expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 0 });
    expect(await api.getSubscription(stream, "hook")).toMatchObject({ lag: { events: 0 } });
  });

  it("[push.order] a key that always fails makes no other key wait for more deliveries", async () => {
    /** Returns how many deliveries came before that of each event of the other keys, at p95. */
    const p95 = async (isBad: boolean) => {
      received.length = 0;
      const { stream } = await pushed();
      answer((delivery) => (isBad && isOf("k0")(delivery) ? 500 : 204));
      const events = Array.from({ length: 400 }, (_, n) => event(`k${n % 40}`, n));
      await api.publish(stream, events);
      await run(60_000);
      const waits = received.flatMap(({ body }, at) =>
        body.key === "k0" ? [] : [at - (body.data as { n: number }).n],
      );
      expect(waits).toHaveLength(390);
      return waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.95)] ?? 0;
    };
    const usual = await p95(false);
    // The size of a page follows the time of the one before, and changes the order of keys.
    expect(await p95(true)).toBeLessThanOrEqual(usual + PAGE_PART);
  });

  it("[push.outage] parks at most two keys before it holds its position", async () => {
    const { stream } = await pushed();
    answer(() => 500);
    for (let n = 0; n < 5; n++) {
      await api.publish(stream, [event(`k${n}`, n)]);
      await run();
    }
    expect(await stateOf(stream)).toMatchObject({ status: "failing", retryingKeys: 2 });
  });

  it("[push.order] holds its position while no more keys can be parked", async () => {
    const { stream } = await pushed({ concurrency: 1 });
    answer((delivery) => (delivery.body.key.startsWith("bad") ? 500 : 204));
    const pairs = Array.from({ length: 105 }, (_, n) => [
      event(`bad-${n}`, n),
      event(`good-${n}`, n),
    ]);
    await api.publish(stream, pairs.flat());
    await run(100_000);
    expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 100 });
    answer(() => 204);
    for (let step = 0; step < 3; step++) {
      await wait(37 * SECOND_MS);
      await run();
    }
    expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 0 });
    const accepted = new Set(sent());
    expect(accepted.size).toBe(105);
    expect(await api.getSubscription(stream, "hook")).toMatchObject({
      lag: { events: 0 },
      parkedKeys: 0,
    });
  });

  it("[push.outage] notices at once that nothing answers, and disables it after 5 days", async () => {
    const { stream } = await pushed({ url: "http://127.0.0.1:1/hook" });
    await api.publish(stream, [event("a", 1), event("b", 1)]);
    await run();
    const state = await stateOf(stream);
    expect(state).toMatchObject({ status: "failing", retryingKeys: 0 });
    const { deliveries } = await deliveriesOf(stream);
    expect(deliveries[0]).toMatchObject({ error: "The endpoint cannot be reached: ECONNREFUSED." });
    for (let day = 0; day < 6; day++) {
      await wait(DAY_MS + 5 * HOUR_MS);
      await run();
    }
    expect(await stateOf(stream)).toMatchObject({ status: "disabled", disabledBecause: "failing" });
    await sendTo(stream, "", "PUT", { url: target.url });
    expect(await stateOf(stream)).toMatchObject({ status: "disabled" });
    expect((await sendTo(stream, "/enable", "POST")).body).toMatchObject({ status: "enabled" });
    await run();
    expect(sent()).toEqual([1, 1]);
  });

  it("[push.outage] an endpoint that answers 410 gets nothing more", async () => {
    const { stream } = await pushed();
    answer(() => 410);
    await api.publish(stream, [event("a", 1)]);
    await run();
    await run();
    expect(received).toHaveLength(1);
    expect(await stateOf(stream)).toMatchObject({
      status: "disabled",
      disabledBecause: "gone",
      remedy: expect.stringContaining("PUT .../push"),
    });
    expect(await recorded(stream)).toEqual(["the endpoint answered 410"]);
  });

  it("[push.outage] an outage of the audit stream keeps no push going, and the entry follows", async () => {
    const { stream } = await pushed();
    answer(() => 410);
    await api.publish(stream, [event("a", 1)]);
    const silenced = { on: true };
    target.opened.client.middlewareStack.add(
      (next) => async (args) => {
        const isOfAudit = JSON.stringify(args.input ?? {}).includes("_audit#");
        if (!silenced.on || !isOfAudit) return next(args);
        throw Object.assign(new Error("no answer"), { name: "TimeoutError" });
      },
      { step: "initialize", name: "silence" },
    );
    await target.hurry(run);
    expect(await stateOf(stream)).toMatchObject({ status: "disabled", disabledBecause: "gone" });
    await target.hurry(run);
    expect(received).toHaveLength(1);
    silenced.on = false;
    expect(await recorded(stream)).toEqual([]);
    await run();
    await run();
    expect(await recorded(stream)).toEqual([
      "the endpoint answered 410; recorded later, because the audit stream could not be written",
    ]);
    target.opened.client.middlewareStack.remove("silence");
  }, 60_000);

  it("[push.disabled] a position that the log has lost disables the push, until a seek", async () => {
    const { stream } = await pushed();
    await sendTo(stream, "/disable", "POST");
    await api.send({
      method: "PATCH",
      path: `/streams/${stream}`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ retentionHours: 1 }),
    });
    await api.publish(stream, [event("a", 1)]);
    await wait(40 * DAY_MS);
    await api.publish(stream, [event("a", 2)]);
    await sendTo(stream, "/enable", "POST");
    await run();
    await run();
    expect(received).toEqual([]);
    expect(await stateOf(stream)).toMatchObject({
      status: "disabled",
      disabledBecause: "retention-passed",
      remedy: expect.stringContaining("Seek the subscription"),
    });
    expect(await recorded(stream)).toEqual(["the log no longer has the events at the position"]);
    await api.seek(stream, "hook", "earliest");
    await sendTo(stream, "/enable", "POST");
    await run();
    expect(sent()).toEqual([2]);
    expect(await stateOf(stream)).toMatchObject({ status: "enabled" });
  });

  it("[push.fenced] a pusher that was paused commits and parks nothing", async () => {
    const { stream } = await pushed();
    await api.publish(stream, [event("a", 1), event("b", 2)]);
    const other = target.other();
    let runs = 0;
    // During the delivery of the first pusher, its lease ends and a second one takes over.
    answer(() => {
      runs++;
      return runs === 1 ? "nothing" : 204;
    });
    await sendTo(stream, "", "PUT", { url: target.url, timeoutSeconds: 2 });
    const all = await target.opened.ledger.listPushes();
    const id = all.find(({ life }) => life.startsWith(`${stream}#`));
    if (id === undefined) throw new Error("There is no push.");
    const paused = target.opened.ledger.runPush(id, { budgetMs: 10_000 });
    while (runs < 1) await new Promise((resolve) => setTimeout(resolve, 10));
    await wait(HOUR_MS);
    await other.ledger.runPush(id, { budgetMs: 10_000 });
    expect(await paused).toMatchObject({ delivered: expect.any(Number) });
    expect(await stateOf(stream)).toMatchObject({ status: "enabled", retryingKeys: 0 });
    const parked = await api.send({ path: `/streams/${stream}/subscriptions/hook/parked` });
    expect(parked.body).toMatchObject({ parked: [] });
    expect(sent("a").length).toBeGreaterThan(0);
    await run();
    expect(await api.getSubscription(stream, "hook")).toMatchObject({ lag: { events: 0 } });
    other.close();
  });

  it.each([
    ["disabled", "/disable", "POST"],
    ["ended", "", "DELETE"],
    ["moved to another endpoint", "", "PUT"],
    ["given a new secret", "/rotate", "POST"],
  ] as const)("a run ends with its page when the push is %s", async (_, path, method) => {
    const { stream } = await pushed({ concurrency: 1 });
    await api.publish(
      stream,
      Array.from({ length: 20 }, (__, n) => event(`k${n}`, n)),
    );
    let changing: Promise<unknown> = Promise.resolve();
    answer(() => {
      if (received.length === 1) {
        const body = method === "PUT" ? { url: `${target.url}/new` } : undefined;
        changing = sendTo(stream, path, method, body);
        return "nothing";
      }
      return 204;
    });
    const running = run();
    await vi.waitUntil(() => received.length === 1, { timeout: 30_000 });
    await changing;
    target.release();
    await running;
    // The first page has eight events.
    expect(received).toHaveLength(8);
  });

  it("tests an endpoint, and sends an event once more", async () => {
    const { stream } = await pushed();
    await api.publish(stream, [event("a", 1), event("b", 2)]);
    await run();
    answer(() => ({ status: 418, body: "x".repeat(10_000) }));
    const tested = described.PushAttempt.parse((await sendTo(stream, "/test", "POST")).body);
    expect(tested).toMatchObject({ delivered: false, status: 418, answer: "x".repeat(500) });
    expect(received.at(-1)?.body).toMatchObject({ type: "eventledger.test" });
    answer(() => 204);
    const resent = await sendTo(stream, "/resend", "POST", { key: "b", sequence: 2 });
    expect(described.PushAttempt.parse(resent.body)).toMatchObject({
      delivered: true,
      status: 204,
    });
    expect(received.at(-1)?.headers["webhook-id"]).toBe(received[1]?.headers["webhook-id"]);
    const wrong = await sendTo(stream, "/resend", "POST", { key: "a", sequence: 2 });
    expect(wrong.body).toMatchObject({ code: "event-not-found" });
  });

  it("is not there before it is set up, after it was ended, and for a new subscription", async () => {
    const { stream } = await pushed();
    expect((await end(stream)).status).toBe(204);
    expect((await end(stream)).status).toBe(204);
    for (const [path, method] of [
      ["", "GET"],
      ["/enable", "POST"],
      ["/disable", "POST"],
      ["/test", "POST"],
      ["/rotate", "POST"],
      ["/deliveries", "GET"],
    ] as const) {
      const missing = await sendTo(stream, path, method);
      expect(missing.body).toMatchObject({ code: "push-not-found", status: 404 });
    }
    await sendTo(stream, "", "PUT", { url: target.url });
    await api.deleteSubscription(stream, "hook");
    await api.createSubscription(stream, { name: "hook", start: "earliest" });
    expect((await sendTo(stream, "", "GET")).body).toMatchObject({ code: "push-not-found" });
    await api.publish(stream, [event("a", 1)]);
    await run();
    expect(received).toHaveLength(0);
    expect(await target.opened.ledger.listPushes()).toHaveLength(0);
  });

  it("[sub.view-push] the view of a subscription says how its push is", async () => {
    const { stream } = await pushed();
    const view = () => api.getSubscription(stream, "hook");
    expect(await view()).toMatchObject({ push: "enabled" });
    answer(() => 503);
    for (const n of [1, 2, 3]) await api.publish(stream, [event(`k${n}`, n)]);
    await run();
    expect(await view()).toMatchObject({ push: "failing" });
    await sendTo(stream, "/disable", "POST");
    expect(await view()).toMatchObject({ push: "disabled" });
    await end(stream);
    expect(await view()).not.toHaveProperty("push");
    const [listed] = (await api.listSubscriptions(stream, { include: "stats" })).body.subscriptions;
    expect(listed).not.toHaveProperty("push");
  });

  it("[push.start] sends the current state first to a subscription that bootstraps", async () => {
    const stream = await api.newStream();
    await api.publish(stream, [event("a", 1), event("a", 2), event("b", 3)]);
    await api.compact(stream);
    await api.createSubscription(stream, { name: "hook", start: "bootstrap" });
    await sendTo(stream, "", "PUT", { url: target.url });
    open.push(stream);
    await run();
    expect(new Set(sent())).toEqual(new Set([2, 3]));
    await api.publish(stream, [event("a", 4)]);
    await run();
    expect(sent("a")).toEqual([2, 4]);
  });
});

describe("a request for a push that is not valid", () => {
  it.each([
    [{ url: "ftp://shop.example/" }, "/url"],
    [{ url: "https://me:secret@shop.example/" }, "/url"],
    [{ url: "" }, "/url"],
    [{}, "/url"],
    [{ url: "http://shop.example/", concurrency: 65 }, "/concurrency"],
    [{ url: "http://shop.example/", timeoutSeconds: 0 }, "/timeoutSeconds"],
    [{ url: "http://shop.example/", format: "xml" }, "/format"],
  ])("%j is refused at %s", async (body, pointer) => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "hook", start: "earliest" });
    const refused = await sendTo(stream, "", "PUT", body);
    expect(refused.body).toMatchObject({ status: 400, errors: [{ pointer }] });
    expect((await sendTo(stream, "", "GET")).body).toMatchObject({ code: "push-not-found" });
  });
});

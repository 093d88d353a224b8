import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { at, type Client, createClient } from "./client.ts";
import { refusal, send, type Target } from "./wire.ts";

/**
 * Tests which settings of a subscription can be changed, and what its view shows of its position.
 */
export function settingsContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);

  describe("a change of settings", () => changing(api));
  describe.each([1, 4])("a change of the filter, on %i partitions", (partitions) =>
    filtering(api, partitions),
  );
  describe("a name that is taken", () => naming(api));
  describe.each([1, 4])("the view of a subscription, on %i partitions", (partitions) =>
    viewing(api, partitions),
  );
}

const event = (key: string, type = "t") => ({ key, type, data: key });

function changing(api: Client): void {
  let stream: string;
  beforeEach(async () => {
    stream = await api.newStream();
    await api.createSubscription(stream, { name: "s", maxDeliveries: 3 });
  });
  const patch = async (json: Parameters<Client["patchSubscription"]>[2]) =>
    (await api.patchSubscription(stream, "s", json)).body;

  it("[sub.patch] a change affects only the named settings, and is visible at once", async () => {
    const before = await api.getSubscription(stream, "s");
    const changed = await patch({ leaseSeconds: 7 });
    expect(changed).toMatchObject({ leaseSeconds: 7, maxDeliveries: 3, warnings: [] });
    expect(changed).toMatchObject({ createdAt: before.createdAt, start: before.start });
    expect(await patch({ maxDeliveries: 9 })).toMatchObject({ leaseSeconds: 7, maxDeliveries: 9 });
    expect(await api.getSubscription(stream, "s")).toMatchObject({
      leaseSeconds: 7,
      maxDeliveries: 9,
      lag: before.lag,
    });
    expect(await patch({ maxDeliveries: null })).not.toHaveProperty("maxDeliveries");
    const worker = await api.poll(stream, "s", { consumer: "w" });
    expect(worker.body.waitSecondsAdvised).toBeLessThanOrEqual(3);
  });

  it("[sub.patch] a change may be repeated, and may be empty", async () => {
    for (let i = 0; i < 3; i++)
      expect(await patch({ leaseSeconds: 7 })).toMatchObject({ leaseSeconds: 7 });
    expect(await patch({})).toMatchObject({ leaseSeconds: 7, maxDeliveries: 3 });
  });

  it("[sub.patch] earlier cursors stay valid unless the filter changes", async () => {
    await api.publish(stream, [event("a"), event("b")]);
    const { cursor } = (await api.poll(stream, "s", { limit: 1 })).body;
    await patch({ leaseSeconds: 7, maxDeliveries: 9 });
    expect((await api.commit(stream, "s", cursor)).body).toMatchObject({ stale: false });
  });

  it("[sub.patch] deliveries are counted from the change on", async () => {
    await patch({ maxDeliveries: 2 });
    await api.publish(stream, [event("a"), event("b")]);
    for (let i = 0; i < 3; i++) await api.poll(stream, "s", { limit: 1 });
    expect((await api.getSubscription(stream, "s")).parkedKeys).toBe(1);
    await patch({ maxDeliveries: null });
    for (let i = 0; i < 4; i++) expect((await api.poll(stream, "s")).body.events).toHaveLength(1);
  });

  it.each([
    ["/leaseSeconds", { leaseSeconds: 0 }],
    ["/leaseSeconds", { leaseSeconds: null }],
    ["/maxDeliveries", { maxDeliveries: 1 }],
    ["/filter", { filter: "a" }],
    ["/filter/types", { filter: { types: [] } }],
    ["/start", { start: "latest" }],
    ["/name", { name: "t" }],
  ])("[sub.patch] is refused at %j for %j", async (pointer, wrong) => {
    const before = await api.getSubscription(stream, "s");
    const { body } = await send(api.target, {
      method: "PATCH",
      path: at(stream, "s"),
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ leaseSeconds: 7, ...wrong }),
    });
    expect(body).toMatchObject({ code: "invalid-request", errors: [{ pointer }] });
    expect(await api.getSubscription(stream, "s")).toEqual(before);
  });

  it("[sub.patch] a change of a missing subscription is refused", async () => {
    await refusal(api.patchSubscription(stream, "t", {}), "subscription-not-found");
    await refusal(api.patchSubscription("nowhere", "s", {}), "stream-not-found");
  });
}

function filtering(api: Client, partitions: number): void {
  let stream: string;
  const filter = (json: object | null) => api.patchSubscription(stream, "s", { filter: json });
  const keys = async (query: object = {}) =>
    (await api.poll(stream, "s", query)).body.events.map(({ key }) => key).sort();
  beforeEach(async () => {
    stream = await api.newStream({ partitions });
    await api.createSubscription(stream, { name: "s", filter: { keyPrefix: "a" } });
    await api.publish(
      stream,
      ["a1", "b1"].map((key) => event(key)),
    );
    const { cursor } = (await api.poll(stream, "s")).body;
    await api.commit(stream, "s", cursor);
    await api.publish(
      stream,
      ["a2", "b2"].map((key) => event(key)),
    );
  });

  it("[sub.patch-filter] a new filter applies to the events after the committed position", async () => {
    expect(await keys()).toEqual(["a2"]);
    await filter({ keyPrefix: "b" });
    expect(await keys()).toEqual(["b2"]);
    await filter(null);
    expect(await keys()).toEqual(["a2", "b2"]);
    expect(await api.getSubscription(stream, "s")).not.toHaveProperty("filter");
    await api.seek(stream, "s", "earliest");
    expect(await keys()).toEqual(["a1", "a2", "b1", "b2"]);
  });

  it("[sub.patch-filter] a new filter voids pages that were read with the former one", async () => {
    const { cursor } = (await api.poll(stream, "s")).body;
    await filter({ keyPrefix: "b" });
    for (const use of [
      () => api.commit(stream, "s", cursor),
      () => api.poll(stream, "s", { after: cursor }),
      () => api.commitAndPoll(stream, "s", { commit: cursor }),
    ]) {
      expect(await refusal(use(), "invalid-cursor")).toMatchObject({ reason: "seeked" });
    }
    expect(await keys()).toEqual(["b2"]);
  });

  it("[sub.patch-filter] an equal filter changes nothing, in whatever form", async () => {
    await filter({ types: ["x", "y"], headers: { h: "1", i: "2" } });
    const { cursor } = (await api.poll(stream, "s")).body;
    await filter({ headers: { i: "2", h: "1" }, types: ["y", "x", "y"] });
    expect((await api.commit(stream, "s", cursor)).body.stale).toBe(false);
  });

  it("[sub.patch-filter] a wider filter is reported, and pages are not consistent until a seek", async () => {
    const { warnings } = (await filter({ keyPrefix: "b" })).body;
    expect(warnings.join()).toContain("Seek to `bootstrap`");
    expect((await api.getSubscription(stream, "s")).warnings).toEqual(warnings.slice(0, 1));
    expect((await api.poll(stream, "s")).body.consistent).toBe(false);
    const worker = (await api.poll(stream, "s", { consumer: "w" })).body;
    expect(worker.consistent).toBe(false);
    await api.leave(stream, "s", "w");
    // Narrowing the filter again does not deliver the missing events.
    await filter({ keyPrefix: "b2" });
    expect((await api.poll(stream, "s")).body.consistent).toBe(false);
    await api.compact(stream);
    await api.seek(stream, "s", "bootstrap");
    expect((await api.getSubscription(stream, "s")).warnings).toEqual([]);
    const state: string[] = [];
    for (let done = false; !done; ) {
      const page = (await api.poll(stream, "s")).body;
      state.push(...page.events.map(({ key }) => key));
      await api.commit(stream, "s", page.cursor);
      done = page.consistent && page.caughtUp;
    }
    expect(state).toEqual(["b2"]);
  });

  it("[sub.patch-filter] a narrower filter stays consistent, and the answer says what it leaves out", async () => {
    const { warnings } = (await filter({ keyPrefix: "a2", types: ["t"] })).body;
    expect(warnings).toEqual([expect.stringContaining("not even their deletion")]);
    expect((await api.getSubscription(stream, "s")).warnings).toEqual([]);
    expect((await api.poll(stream, "s")).body).toMatchObject({ consistent: true });
  });

  it("[sub.patch-filter] a new filter keeps parked keys and departures", async () => {
    const { body } = await api.browse(stream, { key: "a2" });
    const sequence = body.events[0]?.sequence ?? 0;
    await api.park(stream, "s", { sequence, key: "a2" });
    await filter(null);
    expect(await keys()).toEqual(["b2"]);
    expect((await api.getSubscription(stream, "s")).parkedKeys).toBe(1);
    const { cursor } = (await api.poll(stream, "s")).body;
    await api.commit(stream, "s", cursor);
    await api.release(stream, "s", "a2", "retry");
    expect(await keys()).toEqual(["a2"]);
  });

  it("[sub.patch-filter] a waiting poll learns of a new filter", async () => {
    const { cursor } = (await api.poll(stream, "s")).body;
    await api.commit(stream, "s", cursor);
    await api.publish(stream, event("c1"));
    const polling = api.poll(stream, "s", { waitSeconds: 20 });
    await new Promise((done) => setTimeout(done, 300));
    await filter({ keyPrefix: "c" });
    const page = (await polling).body;
    expect(page.events.map(({ key }) => key)).toEqual(["c1"]);
  });
}

function naming(api: Client): void {
  it("[sub.start] the refusal names each difference to the existing subscription", async () => {
    const stream = await api.newStream();
    const config = { start: "latest" as const, filter: { types: ["t"], keyPrefix: "a" } };
    await api.createSubscription(stream, { name: "s", ...config, maxDeliveries: 5 });
    const other = { start: "earliest" as const, filter: { types: ["u"], keyPrefix: "a" } };
    const again = api.createSubscription(stream, { name: "s", ...other, leaseSeconds: 60 });
    const { errors } = await refusal(again, "subscription-exists");
    expect(errors).toEqual(
      expect.arrayContaining([
        { pointer: "/start", detail: 'is "latest" there' },
        { pointer: "/filter/types", detail: 'is ["t"] there' },
        { pointer: "/leaseSeconds", detail: "is 30 there" },
        { pointer: "/maxDeliveries", detail: "is 5 there" },
      ]),
    );
    expect(errors).toHaveLength(4);
  });

  it("[sub.start] the comparison uses the current settings", async () => {
    const stream = await api.newStream();
    await api.createSubscription(stream, { name: "s" });
    await api.patchSubscription(stream, "s", { leaseSeconds: 60 });
    const again = await api.createSubscription(stream, { name: "s", leaseSeconds: 60 });
    expect(again.status).toBe(200);
    const former = await refusal(
      api.createSubscription(stream, { name: "s" }),
      "subscription-exists",
    );
    expect(former.errors).toEqual([{ pointer: "/leaseSeconds", detail: "is 60 there" }]);
  });

  it("[stream.create-repeat] the refusal names each difference to the existing stream", async () => {
    const name = await api.newStream({ retentionHours: 24 });
    const again = api.createStream({ name, partitions: 2, description: "x" });
    const { errors } = await refusal(again, "stream-exists");
    expect(errors).toEqual([
      { pointer: "/description", detail: 'is "" there' },
      { pointer: "/partitions", detail: "is 1 there" },
      { pointer: "/retentionHours", detail: "is 24 there" },
    ]);
  });
}

function viewing(api: Client, partitions: number): void {
  it("[sub.view-position] the view shows the committed position as a cursor of the stream", async () => {
    const stream = await api.newStream({ partitions });
    await api.createSubscription(stream, { name: "s" });
    await api.publish(
      stream,
      ["a", "b", "c", "d"].map((key) => event(key)),
    );
    const { cursor, events } = (await api.poll(stream, "s", { limit: 2 })).body;
    await api.commit(stream, "s", cursor);
    const { position } = await api.getSubscription(stream, "s");
    expect(position).toEqual(expect.any(String));
    const rest = ["a", "b", "c", "d"].filter((key) => !events.some((each) => each.key === key));
    const keysOf = (of: { body: { events: { key: string }[] } }) =>
      of.body.events.map(({ key }) => key).sort();
    expect(keysOf(await api.browse(stream, { from: position }))).toEqual(rest);
    const start = { cursor: position ?? "" };
    await api.createSubscription(stream, { name: "t", start });
    expect(keysOf(await api.poll(stream, "t"))).toEqual(rest);
    await api.createSubscription(stream, { name: "u", start: "latest" });
    await api.seek(stream, "u", start);
    expect(keysOf(await api.poll(stream, "u"))).toEqual(rest);
    expect(keysOf(await api.poll(stream, "u", { after: position }))).toEqual(rest);
  });

  it("[bootstrap.progress] the view shows how much of a snapshot is read and committed", async () => {
    const stream = await api.newStream({ partitions });
    await api.publish(
      stream,
      Array.from({ length: 200 }, (_, n) => event(`k${n}`)),
    );
    await api.compact(stream);
    await api.createSubscription(stream, { name: "s", start: "bootstrap" });
    const view = async () => {
      const { phase, snapshot, position } = await api.getSubscription(stream, "s");
      return { phase, snapshot, position };
    };
    const parts = 16;
    const bootstrap = { phase: "bootstrap", position: null };
    expect(await view()).toEqual({ ...bootstrap, snapshot: { partsRead: 0, parts } });
    let read = 0;
    for (let ended = false; !ended; ) {
      const page = (await api.poll(stream, "s", { limit: 20 })).body;
      expect(page.snapshot?.parts).toBe(parts);
      expect(page.snapshot?.partsRead).toBeGreaterThanOrEqual(read);
      read = page.snapshot?.partsRead ?? -1;
      ended = page.snapshotEnd;
      expect(read === parts).toBe(ended);
      if (!ended) {
        await api.commit(stream, "s", page.cursor);
        expect(await view()).toEqual({ ...bootstrap, snapshot: { partsRead: read, parts } });
      } else await api.commit(stream, "s", page.cursor);
    }
    const page = (await api.poll(stream, "s")).body;
    expect(page).not.toHaveProperty("snapshot");
    expect(await view()).toEqual({ phase: "log", position: expect.any(String) });
  });
}

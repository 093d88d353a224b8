import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { EventLedger, LedgerProblem, LedgerUnreachable, memory } from "../index.ts";
import { fakeLedger } from "../testing/index.ts";

const open = (options = {}) => {
  const fake = fakeLedger({ streams: ["orders"], virtualTime: true });
  const ledger = new EventLedger({ ...fake.options, ...options });
  return { fake, ledger, orders: ledger.stream("orders") };
};

async function eventsOf(fake: ReturnType<typeof fakeLedger>) {
  const { clock: _, ...options } = fake.options;
  const events = [];
  for await (const event of new EventLedger(options).stream("orders").read()) events.push(event);
  return events;
}

/** Returns the rejection of a promise, for the test to read later. */
const caught = (running: Promise<unknown>) =>
  running.then(
    () => expect.fail("was not refused"),
    (error: unknown) => error,
  );

describe("a request", () => {
  it("is sent again after a lost answer, and takes effect once", async () => {
    const { fake, orders } = open();
    fake.lose("answer", 3);
    const publishing = orders.publish({ key: "a", data: 1 });
    await fake.advance(5_000);
    expect((await publishing).events).toMatchObject([{ key: "a", sequence: 1 }]);
    expect(fake.requests).toHaveLength(4);
    expect(await eventsOf(fake)).toHaveLength(1);
  });

  it.each(["outcome-unknown", "internal", "stream-busy"] as const)(
    "settles %s by itself",
    async (code) => {
      const { fake, orders } = open();
      fake.refuse(code, 2);
      const publishing = orders.publish({ key: "a", data: 1 });
      await fake.advance(10_000);
      expect((await publishing).events).toHaveLength(1);
      expect(fake.requests).toHaveLength(3);
    },
  );

  it("is not sent again where that does not help", async () => {
    const { fake, orders } = open();
    fake.refuse("forbidden");
    const error = await caught(orders.publish({ key: "a", data: 1 }));
    expect(LedgerProblem.is(error, "forbidden")).toBe(true);
    expect(error).toMatchObject({
      maybeWritten: false,
      requestId: "fake-request-1",
      retry: "never",
    });
    expect(fake.requests).toHaveLength(1);
  });

  it("says that something may be written, unless nothing can be", async () => {
    const { fake, orders } = open({ retry: { attempts: 3 } });
    fake.lose("answer", 3);
    const unknown = caught(orders.publish({ key: "a", data: 1 }));
    await fake.advance(60_000);
    expect(await unknown).toMatchObject({ name: "LedgerUnreachable", maybeWritten: true });
    fake.setAway(true);
    const never = caught(orders.publish({ key: "a", data: 1 }));
    await fake.advance(60_000);
    expect(LedgerUnreachable.is(await never)).toBe(true);
    expect(await never).toMatchObject({ maybeWritten: false });
    fake.setAway(false);
    await fake.advance(60_000);
    fake.lose("answer");
    fake.refuse("forbidden");
    const refused = caught(orders.publish({ key: "b", data: 1 }));
    await fake.advance(60_000);
    expect(await refused).toMatchObject({ code: "forbidden", maybeWritten: true });
  });

  it("waits for as long as the server asks", async () => {
    const { fake, orders } = open();
    fake.refuse("store-unavailable");
    const publishing = orders.publish({ key: "a", data: 1 });
    await fake.advance(990);
    expect(fake.requests).toHaveLength(1);
    await fake.advance(20);
    await publishing;
    expect(fake.requests).toHaveLength(2);
  });

  it("to compact is waited for longer, because the server works on it for up to 15 s", async () => {
    const { fake } = open();
    const { clock } = fake.options;
    const slow: typeof fake.fetch = async (url, init) => {
      await new Promise<void>((resolve) => clock?.after(14_000, resolve));
      init.signal.throwIfAborted();
      return fake.fetch(url, init);
    };
    const stream = new EventLedger({ ...fake.options, fetch: slow }).stream("orders");
    const compacting = stream.compact();
    await fake.advance(14_100);
    await compacting;
    expect(fake.requests).toHaveLength(1);
  });

  it("fetches another key once when its own is refused", async () => {
    for (const later of [async (key: string) => key, (key: string) => key]) {
      const fake = fakeLedger({ streams: ["orders"] });
      const asked: boolean[] = [];
      const ledger = new EventLedger({
        ...fake.options,
        apiKey: (isRefused) => {
          asked.push(isRefused);
          return later(isRefused ? String(fake.options.apiKey) : "an old one");
        },
      });
      await ledger.stream("orders").publish({ key: "a", data: 1 });
      expect(asked).toEqual([false, true]);
      fake.revoke();
      await expect(ledger.whoami()).rejects.toMatchObject({ code: "unauthorized" });
    }
  });

  it.each([
    ["is repeated by a loop after the two minutes that a server asks for", undefined, 2],
    ["is not repeated for a caller who would wait that long", 8, 1],
    ["is not repeated for a reason that this version does not know", undefined, 1, "never-heard"],
  ])("%s", async (_, attempts, times, retry = "later") => {
    const { fake } = open();
    const body = JSON.stringify({ code: "too-many-requests", status: 429, retry, retryAfter: 120 });
    let sent = 0;
    const ledger = new EventLedger({
      ...fake.options,
      fetch: async (url, init) => {
        sent += 1;
        if (sent > 1) return fake.fetch(url, init);
        const get = () => "application/problem+json";
        return { status: 429, headers: { get }, text: async () => body };
      },
    });
    const call = { method: "GET", path: "/whoami" } as const;
    const asking = caught(ledger.request({ ...call, attempts: attempts ?? Infinity }));
    asking.catch(() => {});
    await fake.advance(119_000);
    expect(sent).toBe(1);
    await fake.advance(10_000);
    expect(sent).toBe(times);
    if (times === 1) expect(await asking).toMatchObject({ code: "too-many-requests", retry });
    else await expect(asking).rejects.toThrow("was not refused");
  });

  it("leaves no listener on a signal, after 10,000 polls of it", async () => {
    const fake = fakeLedger({ streams: ["orders"] });
    const ledger = new EventLedger(fake.options);
    const { signal } = new AbortController();
    for (let n = 0; n < 10_000; n++) await ledger.whoami({ signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("rejects with the reason of its signal, also while it pauses", async () => {
    const { fake, orders } = open();
    fake.setAway(true);
    const controller = new AbortController();
    const { signal } = controller;
    const publishing = caught(orders.publish({ key: "a", data: 1 }, { signal }));
    await fake.advance(700);
    const reason = new Error("no longer needed");
    controller.abort(reason);
    expect(await publishing).toBe(reason);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await expect(orders.publish({ key: "a", data: 1 }, { signal })).rejects.toBe(reason);
  });

  it("does not take the answer of a gateway or a portal for one of EventLedger", async () => {
    const answers = [
      { status: 502, type: "text/html", text: "<h1>Bad gateway" },
      { status: 200, type: "text/html", text: "<h1>Please log in" },
      { status: 200, type: "application/json", text: '{"tenant":"t"}' },
    ];
    const ledger = new EventLedger({
      url: "http://gateway.invalid",
      retry: { baseMs: 1 },
      fetch: async () => {
        const { status, type, text } = answers.shift() ?? expect.fail("asked too often");
        const get = (name: string) => (name === "content-type" ? type : null);
        return { status, headers: { get }, text: async () => text };
      },
    });
    expect(await ledger.whoami()).toEqual({ tenant: "t" });
  });

  it("does not follow a redirect, which would turn a publish into a GET", async () => {
    const ledger = new EventLedger({
      url: "http://moved.invalid",
      fetch: async (_, { redirect }) => {
        expect(redirect).toBe("manual");
        return { status: 301, headers: { get: () => null }, text: async () => "" };
      },
    });
    const publishing = ledger.stream("orders").publish({ key: "a", data: 1 });
    await expect(publishing).rejects.toMatchObject({ code: "unexpected-answer", status: 301 });
  });
});

describe("while the server is away", () => {
  it("a view is stale while it waits for the probe of another loop", async () => {
    const { fake, ledger, orders } = open({ wait: "none" });
    const view = orders.view({ store: memory<unknown>() });
    await fake.advance(1_000);
    expect(view.status).toBe("live");
    fake.setAway(true);
    const before = fake.requests.length;
    // This request fails while the view pauses, so the view's own request finds an outage.
    const asking = ledger.request({ method: "GET", path: "/whoami", attempts: Infinity });
    await fake.advance(50);
    expect(view.status).toBe("stale");
    expect(new Set(fake.requests.slice(before).map(({ path }) => path))).toEqual(
      new Set(["/whoami"]),
    );
    expect(view.failure).toMatchObject({ name: "LedgerUnreachable", maybeWritten: false });
    fake.setAway(false);
    await fake.advance(10_000);
    expect(view.status).toBe("live");
    await asking;
    await view.close();
  });

  it("all loops of a client together ask at most 20 times in a minute", async () => {
    const { fake, orders } = open();
    const controller = new AbortController();
    const { signal } = controller;
    const work = orders.subscription("work", { start: "earliest" });
    const running = caught(work.run(() => {}, { signal }));
    const reading = caught(
      (async () => {
        for await (const _ of orders.read({ follow: true, signal })) await undefined;
      })(),
    );
    const out = orders.publisher();
    await fake.advance(100);
    fake.setAway(true);
    const added = Array.from({ length: 64 }, (_, n) => out.add({ key: `k${n}`, data: n }));
    await fake.advance(100);
    const before = fake.requests.length;
    await fake.advance(60_000);
    expect(fake.requests.length - before).toBeLessThanOrEqual(20);
    expect(fake.requests.length - before).toBeGreaterThan(5);
    fake.setAway(false);
    await fake.advance(10_000);
    await Promise.all(added);
    expect(await eventsOf(fake)).toHaveLength(64);
    controller.abort(new Error("done"));
    await fake.advance(5_000);
    expect(await running).toMatchObject({ message: "done" });
    expect(await reading).toMatchObject({ message: "done" });
  });

  it("a stream that answers 503 is asked no more often", async () => {
    const { fake, orders } = open();
    fake.refuse("store-unavailable", 1_000);
    const controller = new AbortController();
    const { signal } = controller;
    const reading = caught(
      (async () => {
        for await (const _ of orders.read({ follow: true, signal })) await undefined;
      })(),
    );
    await fake.advance(60_000);
    expect(fake.requests.length).toBeLessThanOrEqual(20);
    controller.abort(new Error("done"));
    await reading;
  });
});

describe("errors", () => {
  it("are known across two copies of the package", async () => {
    // The query makes this a separate module, as in a second copy of the package.
    const copy = "../errors.ts?second-copy";
    const other: typeof import("../errors.ts") = await import(/* @vite-ignore */ copy);
    const theirs = new other.LedgerProblem({ code: "lease-lost", status: 409, retry: "refresh" });
    expect(theirs.constructor).not.toBe(LedgerProblem);
    expect(LedgerProblem.is(theirs, "lease-lost")).toBe(true);
    expect(LedgerProblem.is(theirs, "forbidden")).toBe(false);
    expect(LedgerUnreachable.is(theirs)).toBe(false);
    expect(LedgerProblem.is({ code: "lease-lost" })).toBe(false);
  });
});

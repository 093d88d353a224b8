import { describe, expect, it } from "vitest";
import { EventLedger, InvalidEvent } from "./index.ts";
import { fakeLedger } from "./testing/index.ts";

const open = () => {
  const fake = fakeLedger({ streams: ["orders"] });
  const orders = new EventLedger({ ...fake.options, retry: { baseMs: 1, maxMs: 4 } }).stream(
    "orders",
  );
  return { fake, orders };
};

async function dataOf(orders: ReturnType<typeof open>["orders"]) {
  const all: unknown[] = [];
  for await (const { data } of orders.read()) all.push(data);
  return all;
}

describe("a publisher", () => {
  it("publishes each event once, in order, whatever is lost", async () => {
    const { fake, orders } = open();
    const out = orders.publisher({ lingerMs: 1, eventsMax: 7 });
    for (let n = 0; n < 200; n++) {
      if (n % 9 === 0) fake.lose(n % 2 === 0 ? "answer" : "request");
      if (n % 31 === 0) fake.refuse("outcome-unknown");
      void out.add({ key: `k${n % 4}`, data: n });
      if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await out.close();
    expect(await dataOf(orders)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it("takes no more than its queue, and says when there is room", async () => {
    const { fake, orders } = open();
    const out = orders.publisher({ queuedBytesMax: 200, lingerMs: 1 });
    const before = fake.requests.length;
    let added = 0;
    for (; added < 3; added++) void out.add({ key: "k", data: "x".repeat(50) });
    await expect(out.add({ key: "k", data: 1 })).rejects.toThrow("await ready");
    await out.ready;
    await out.add({ key: "k", data: "last" });
    await out.close();
    expect(await dataOf(orders)).toHaveLength(4);
    expect(fake.requests.length).toBeGreaterThan(before);
  });

  it("keeps its requests within bytes and events", async () => {
    const { fake, orders } = open();
    const out = orders.publisher({ bytesMax: 100, eventsMax: 3 });
    for (const size of [60, 60, 500, 1, 1, 1, 1])
      void out.add({ key: "k", data: "x".repeat(size) });
    await out.close();
    expect(fake.requests.filter(({ method }) => method === "POST")).toHaveLength(5);
    expect(await dataOf(orders)).toHaveLength(7);
  });

  it("refuses what JSON would change without a word", async () => {
    const { fake, orders } = open();
    const out = orders.publisher();
    const before = fake.requests.length;
    for (const data of [
      Number.NaN,
      [1, Number.POSITIVE_INFINITY],
      undefined,
      new Date(Number.NaN),
    ]) {
      await expect(out.add({ key: "k", data })).rejects.toSatisfy(InvalidEvent.is);
      await expect(orders.publish({ key: "k", data })).rejects.toSatisfy(InvalidEvent.is);
    }
    expect(fake.requests.length).toBe(before);
    await out.close();
  });

  it("settles a flush that has nothing to do, and two at a time", async () => {
    const { orders } = open();
    const out = orders.publisher({ lingerMs: 10_000 });
    await out.flush();
    const added = out.add({ key: "k", data: 1 });
    await Promise.all([out.flush(), out.flush()]);
    expect(await added).toMatchObject({ sequence: 1, key: "k" });
    await out.close();
  });
});

import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as z from "zod/mini";
import { InvalidEvent, memory } from "../../packages/sdk/src/index.ts";
import { collect, openStack, within } from "./stack.ts";

const { ledger, newStream } = await openStack();

const libraries = {
  zod: { placed: z.object({ total: z.number() }), paid: z.object({ by: z.string() }) },
  valibot: { placed: v.object({ total: v.number() }), paid: v.object({ by: v.string() }) },
  arktype: { placed: type({ total: "number" }), paid: type({ by: "string" }) },
};

describe.each(Object.entries(libraries))("schemas of %s", (_, events) => {
  it("are checked before a publish, and name what is wrong", async () => {
    const name = await newStream();
    const orders = ledger.stream(name, { events });
    await orders.publish({ key: "a", type: "placed", data: { total: 1 } });
    const wrong = { key: "a", type: "placed", data: { total: "1" } } as unknown as {
      key: string;
      type: "placed";
      data: { total: number };
    };
    const refused = orders.publish(wrong);
    await expect(refused).rejects.toSatisfy(InvalidEvent.is);
    await expect(refused).rejects.toMatchObject({ issues: [{ path: ["data", "total"] }] });
    const out = orders.publisher();
    const added = [
      out.add({ key: "a", type: "paid", data: { by: "x" } }),
      out.add(wrong),
      out.add({ key: "a", type: "paid", data: { by: "y" } }),
    ];
    await expect(out.flush()).rejects.toSatisfy(InvalidEvent.is);
    expect((await Promise.allSettled(added)).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(await collect(orders.read())).toMatchObject([
      { data: { total: 1 } },
      { data: { by: "x" } },
      { data: { by: "y" } },
    ]);
  });

  it("are checked when an event is read: it is thrown, skipped or parked", async () => {
    const name = await newStream();
    await ledger.stream(name).publish([
      { key: "a", type: "placed", data: { total: 1 } },
      { key: "b", type: "placed", data: { total: "two" } },
      { key: "b", type: "placed", data: { total: 3 } },
      { key: "c", type: "other", data: 4 },
      { key: "a", type: "paid", data: { by: "x" } },
    ]);
    const orders = ledger.stream(name, { events });
    await expect(collect(orders.read())).rejects.toMatchObject({ key: "b", sequence: 2 });
    const skipping = await collect(orders.read({ onInvalid: "skip" }));
    expect(skipping.map(({ sequence }) => sequence)).toEqual([1, 3, 5]);
    const work = orders.subscription("work", { start: "earliest" });
    for await (const page of work.pages({ onInvalid: "park", signal: within(50_000) })) {
      expect(page.events.map(({ sequence }) => sequence)).toEqual([1, 5]);
      break;
    }
    const parked = await collect(work.parked());
    expect(parked.map(({ key, sequence }) => [key, sequence])).toEqual([
      ["b", 2],
      ["c", 4],
    ]);
    await using view = orders.view({ store: memory() });
    await expect(view.ready()).rejects.toSatisfy(InvalidEvent.is);
  });
});

describe("types", () => {
  it("make wrong data a compile error", () => {
    const orders = () => ledger.stream("orders", { events: libraries.zod });
    type Orders = ReturnType<typeof orders>;
    type In = Extract<Parameters<Orders["publish"]>[0], { key: string }>;
    expectTypeOf<{ key: string; type: "placed"; data: { total: number } }>().toExtend<In>();
    expectTypeOf<{ key: string; type: "placed"; data: { by: string } }>().not.toExtend<In>();
    expectTypeOf<{ key: string; type: "other"; data: { by: string } }>().not.toExtend<In>();
    expectTypeOf<{ key: string; data: { total: number } }>().not.toExtend<In>();

    type Out = Orders["read"] extends () => AsyncGenerator<infer E> ? E : never;
    type Placed = Extract<Out, { isDeletion: false; type: "placed" }>;
    expectTypeOf<Placed["data"]>().toEqualTypeOf<{ total: number }>();
    expectTypeOf<Extract<Out, { isDeletion: true }>["data"]>().toEqualTypeOf<null>();
  });

  it("follow a plain generic, and the store of a view", () => {
    const plain = () => ledger.stream<{ total: number }>("orders");
    type In = Extract<Parameters<ReturnType<typeof plain>["publish"]>[0], { key: string }>;
    expectTypeOf<{ key: string; data: { total: number } }>().toExtend<In>();
    expectTypeOf<{ key: string; data: { total: string } }>().not.toExtend<In>();

    const view = () => plain().view({ store: memory<{ total: number }>() });
    type Got = ReturnType<ReturnType<typeof view>["get"]>;
    expectTypeOf<Got>().toEqualTypeOf<{ total: number } | undefined>();
  });
});

import { beforeEach, expect, it } from "vitest";
import { EventLedger } from "../ledger.ts";
import { type FakeLedger, fakeLedger } from "./fake-ledger.ts";

let fake: FakeLedger;
let ledger: EventLedger;
beforeEach(() => {
  fake = fakeLedger({ streams: ["orders"] });
  ledger = new EventLedger(fake.options);
});

type Answer = { items: { key: string }[]; cursor: string | null };

const list = (query: Readonly<Record<string, string | number>>) =>
  ledger.request<Answer>({ method: "GET", path: "/streams/orders/compacted", query });

it("a list since a cursor takes neither a cursor nor parts, as the server refuses them", async () => {
  const { cursor: since } = await ledger.stream("orders").publish({ key: "a", data: 1 });
  await ledger.stream("orders").publish(["b", "c"].map((key) => ({ key, data: 1 })));
  const page = await list({ since, limit: 1 });
  const cursor = String(page.cursor);
  for (const [query, pointer] of [
    [{ since, cursor }, "/query/since"],
    [{ since, parts: 2 }, "/query/parts"],
    [{ cursor, parts: 2 }, "/query/parts"],
  ] as const) {
    const errors = [{ pointer, detail: expect.any(String) }];
    await expect(list(query)).rejects.toMatchObject({ code: "invalid-request", errors });
  }
  expect((await list({ cursor })).items).toMatchObject([{ key: "c" }]);
});

it("a poll from a position that the log has lost is offered the difference", async () => {
  const orders = ledger.stream("orders");
  await orders.publish([
    { key: "a", data: 1 },
    { key: "b", data: 1 },
  ]);
  await ledger.request({
    method: "POST",
    path: "/streams/orders/subscriptions",
    body: { name: "s", start: "latest" },
  });
  await orders.publish({ key: "a", data: null });
  fake.expire("orders");
  const path = "/streams/orders/subscriptions/s";
  const poll = () => ledger.request<{ events: object[] }>({ method: "GET", path: `${path}/poll` });
  const refusal = await poll().catch((error) => error);
  expect(refusal).toMatchObject({ code: "retention-passed", body: { seek: "bootstrap" } });
  const { since } = refusal.body;
  await ledger.request({ method: "POST", path: `${path}/seek`, body: { to: { since } } });
  expect((await poll()).events).toMatchObject([{ key: "a", data: null }]);
});

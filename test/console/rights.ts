import { expect, it } from "vitest";
import type { World } from "./world.ts";

const PLACES = [
  "#/streams",
  "#/streams/orders/events?seq=588&of=order-1005",
  "#/streams/orders/key?key=order-1003",
  "#/streams/orders/states",
  "#/streams/orders/about",
  "#/streams/orders/subscriptions",
  "#/streams/orders/subscriptions/search-index",
  "#/streams/rights/subscriptions/reader/parked",
  "#/streams/rights/subscriptions/reader",
];

/** The number of views about streams. The others are about subscriptions. */
const OF_STREAMS = 6;

/** Matches a control that writes, by the beginning of its name. */
const WRITES =
  /^(create|delete|change|publish|seek|retry|skip|compact|revoke|rotate|push|send|resend|enable|disable|end)/i;

const PUBLISH = ["Publish an event", "Publish one like it"];
const OPERATE = [
  ...["Change", "Delete", "Push to an endpoint", "Retry", "Seek", "Skip"],
  ...["Change the endpoint", "Enable", "End the push", "Rotate the secret", "Send a test"],
];

type Key = { readonly scopes: readonly string[]; readonly keyPrefix?: string };

/** The controls that each key sees, and a request that the server refuses for it nevertheless. */
const KEYS: readonly (readonly [Key, finds: readonly string[], refused: string, body: object])[] = [
  [{ scopes: ["read"] }, [], "/streams/orders/events", { key: "k", data: 1 }],
  [{ scopes: ["read", "publish"] }, PUBLISH, "/streams", { name: "refused" }],
  [
    { scopes: ["read", "consume"] },
    ["Create a subscription"],
    "/streams/orders/subscriptions/shipping/seek",
    { to: "latest" },
  ],
  [{ scopes: ["read", "operate"] }, OPERATE, "/streams/orders/subscriptions", { name: "refused" }],
  [
    { scopes: ["read", "publish", "admin"], keyPrefix: "order-" },
    PUBLISH,
    "/streams",
    { name: "refused" },
  ],
];

export function rights(world: World): void {
  it("a key finds the controls of its rights and no other, and the server refuses it all the same", async () => {
    const { ledger } = world;
    await ledger.createStream("rights");
    const stream = ledger.stream("rights");
    await stream.publish({ key: "order-1", data: 1 });
    await ledger.request({
      method: "POST",
      path: "/streams/rights/subscriptions",
      body: { name: "reader", start: "earliest" },
    });
    await stream.subscription("reader").park({ key: "order-1", sequence: 1, reason: "a test" });
    const push = "/streams/rights/subscriptions/reader/push";
    const body = { url: "http://localhost:9/order" };
    await ledger.request({ method: "PUT", path: push, body });
    await ledger.request({ method: "POST", path: `${push}/disable` });
    for (const [members, finds, refused, body] of KEYS) {
      const key = await world.newKey(members);
      const { page, faults, close } = await world.open("#/streams", key);
      const names = new Set<string>();
      // A bound key sees only subscriptions that it covers.
      const places = PLACES.slice(0, members.keyPrefix === undefined ? undefined : OF_STREAMS);
      for (const at of places) {
        await page.goto(`${world.url}/console${at}`);
        await page.getByText(/order/).locator("visible=true").first().waitFor();
        await expect.poll(() => page.locator(".skeleton").count()).toBe(0);
        for (const name of await page.getByRole("button").allInnerTexts()) {
          if (WRITES.test(name)) names.add(name.replace(/ \d+$/, ""));
        }
      }
      const isAdmin = members.scopes.includes("admin");
      expect([...names].sort(), members.scopes.join()).toEqual(finds.toSorted());
      const main = page.getByRole("navigation", { name: "Main" });
      expect(await main.getByRole("link", { name: "Keys" }).count()).toBe(isAdmin ? 1 : 0);
      const headers = { Authorization: `Bearer ${key}` };
      const answer = await page.request.post(`${world.url}${refused}`, { headers, data: body });
      expect(answer.status(), members.scopes.join()).toBe(403);
      if (!isAdmin) {
        await page.goto(`${world.url}/console#/keys`);
        await page.getByText("There is nothing at this address").waitFor();
      }
      expect(faults).toEqual([]);
      await close();
    }
  });

  it("a page says what a key may not do, without a request that is refused", async () => {
    const key = await world.newKey({ scopes: ["publish"] });
    const { page, faults, close } = await world.open("#/streams", key);
    await page.getByText("This key may not look at streams").waitFor();
    expect(faults).toEqual([]);
    await close();
  });
}

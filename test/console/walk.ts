import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { VIEWS } from "./views.ts";
import { seeLater, type World } from "./world.ts";

const dialogOf = (page: Page) => page.locator("dialog[open]");

export function walk(world: World): void {
  it("every view opens by its address, again after a reload, and again by Back, without an error", async () => {
    const { page, faults, close } = await world.open("#/", world.adminKey);
    const see = (text: string) => page.getByText(text).locator("visible=true").first().waitFor();
    for (const [hash, text] of VIEWS) {
      await page.goto(`${world.url}/console${hash}`);
      await see(text);
      await page.reload();
      await see(text);
    }
    for (const [hash, text] of VIEWS.toReversed().slice(1)) {
      await page.goBack();
      await see(text);
      expect(page.url()).toBe(`${world.url}/console${hash}`);
    }
    expect(faults).toEqual([]);
    await close();
  });

  it("a person creates a stream, publishes, looks, subscribes, seeks and deletes", async () => {
    const { page, faults, close } = await world.open("#/streams", world.adminKey);
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    await button("Create a stream").click();
    await page.getByLabel("Name").fill("walk");
    await page.getByLabel("And then in the archive, in days").fill("30");
    await page.getByLabel("Lock of the archive").selectOption("governance");
    await dialogOf(page).getByRole("button", { name: "Create" }).click();
    await page.getByRole("link", { name: "walk" }).click();

    await button("Publish an event").click();
    await page.getByLabel("Key", { exact: true }).last().fill("a/b?c#d");
    await page.getByLabel("Data", { exact: true }).fill('{"n":1e400}');
    await page.getByText("Headers", { exact: true }).click();
    await page.getByLabel("A line each").fill("source: by hand");
    await dialogOf(page).getByRole("button", { name: "Publish" }).click();
    await page.getByRole("row", { name: /a\/b\?c#d/ }).click();
    await page.getByText("1e400").last().waitFor();
    await page.getByText("by hand", { exact: true }).waitFor();
    await page.getByRole("link", { name: "a/b?c#d" }).click();
    await page.getByText("1 version").waitFor();

    await page.getByRole("link", { name: "Subscriptions" }).click();
    await button("Create a subscription").click();
    await page.getByLabel("Name").fill("reader");
    await dialogOf(page).getByRole("button", { name: "Create" }).click();
    await page.getByRole("link", { name: "reader" }).click();
    await button("Seek").click();
    await page.getByLabel("events published from now on").check();
    await button("Look first").click();
    await page.getByText("0 events will be delivered. 1 event will be left out.").waitFor();
    await button("Move reader").click();
    await page.getByText("caught up").waitFor();
    await button("Change").click();
    await page.getByLabel("Lease of a worker, in seconds").fill("60");
    await button("Save").click();
    await page.getByText("60 s", { exact: true }).waitFor();
    await button("Delete").click();
    expect(await button("Delete the subscription").isDisabled()).toBe(true);
    await page.getByLabel("Type reader to confirm").fill("reader");
    await button("Delete the subscription").click();
    await page.getByText("No service follows this stream").waitFor();

    await page.getByRole("link", { name: "Settings" }).click();
    await button("Change").click();
    await page.getByLabel("Description").fill("of the walk");
    await page.getByRole("spinbutton", { name: "Partitions" }).fill("2");
    await button("Save").click();
    await page.getByText("of the walk").waitFor();
    await page.getByText("2, before that 1").waitFor();
    await page.getByText("30 days, locked for governance").waitFor();
    await page.getByText("Archive lag").waitFor();
    await button("Delete").click();
    await page.getByLabel("Type walk to confirm").fill("walk");
    await button("Delete the stream").click();
    await page.getByRole("link", { name: "orders" }).waitFor();
    expect(faults).toEqual([]);
    await close();
  });

  it("a subscription is moved to a cursor, and the progress of a bootstrap is seen", async () => {
    const at = "/streams/orders/subscriptions";
    const post = (path: string, body: Record<string, unknown>) =>
      world.ledger.request<{ cursor: string }>({ method: "POST", path: `${at}${path}`, body });
    const { cursor } = await world.ledger.stream("orders").publish({ key: "order-1", data: 1 });
    await world.ledger.stream("orders").publish({ key: "order-1", data: 2 });
    await post("", { name: "moved", start: "earliest" });
    const { page, faults, close } = await world.open(
      "#/streams/orders/subscriptions/moved",
      world.adminKey,
      { hasOwnClock: true },
    );
    await page.getByRole("button", { name: "Seek" }).click();
    const own = await post("/moved/poll", { limit: 1 });
    await page.getByLabel("Time, sequence or cursor").fill(own.cursor);
    await page.getByRole("button", { name: "Look first" }).click();
    await page.getByText(/^\d+ events will be delivered\. 1 event will be left out\.$/).waitFor();
    await page.getByLabel("Time, sequence or cursor").fill(cursor);
    await page.getByRole("button", { name: "Look first" }).click();
    await page.getByText(/^1 event will be delivered\. \d+ events will be left out\.$/).waitFor();
    await page.getByRole("button", { name: "Move moved" }).click();
    await page.getByText(/^The subscription moved is moved\.$/).waitFor();
    await page.getByRole("button", { name: "Seek" }).click();
    await page.getByLabel("the keys that changed since a cursor").check();
    const { cursor: foreign } = await world.ledger
      .stream("payments")
      .publish({ key: "a", data: 1 });
    await page.getByLabel("Cursor", { exact: true }).fill(foreign);
    await page.getByRole("button", { name: "Look first" }).click();
    await page.getByText("The cursor belongs to another stream.").waitFor();
    // The own cursor is no place to browse from, and the foreign one is refused.
    const refused = expect.stringContaining("status of 400");
    expect(faults.splice(0)).toEqual([refused, refused]);
    await page.getByLabel("Cursor", { exact: true }).fill(cursor);
    await page.getByRole("button", { name: "Look first" }).click();
    await page.getByText("The last event of each changed key will be delivered first.").waitFor();
    await page.getByRole("button", { name: "Move moved" }).click();
    await page.getByText("bootstrap, 0 of 1 part").waitFor();

    await page.goto(`${world.url}/console#${at}/search-index`);
    await page.getByText("bootstrap, 0 of 16 parts").waitFor();
    const first = await post("/search-index/poll", { limit: 20 });
    await post("/search-index/poll", { commit: first.cursor, limit: 1 });
    await seeLater(page, page.getByText(/^bootstrap, [1-9]\d? of 16 parts$/));
    expect(faults).toEqual([]);
    await close();
  });

  it("parked keys are retried and skipped together, each with its own result", async () => {
    const { page, faults, close } = await world.open(
      "#/streams/orders/subscriptions/shipping/parked",
      world.adminKey,
    );
    await page.getByLabel("Choose order-1008").check();
    await page.getByLabel("Choose order-1009").check();
    await page.getByRole("button", { name: "Retry 2" }).click();
    await page.getByText("2 results").waitFor();
    await page
      .getByRole("row", { name: /order-1010/ })
      .getByRole("button", { name: "Skip" })
      .click();
    await dialogOf(page).getByRole("button", { name: "Skip" }).click();
    await page.getByText("3 results").waitFor();
    expect(await page.getByText("done", { exact: true }).count()).toBe(3);
    expect(faults).toEqual([]);
    await close();
  });

  it("a key is created, shown once, rotated and revoked", async () => {
    const { page, faults, close } = await world.open("#/keys", world.adminKey);
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    await button("Create a key").click();
    await page.getByLabel("Name", { exact: true }).fill("made by hand");
    await page.getByLabel(/^read/).check();
    await dialogOf(page).getByRole("button", { name: "Create" }).click();
    const secret = (await page.locator(".secret").textContent()) ?? "";
    expect(secret).toMatch(/^elk_test_/);
    await button("I have it").click();
    expect(await page.getByText(secret).count()).toBe(0);
    const row = page.getByRole("row", { name: /made by hand/ });
    await row.getByRole("button", { name: "Rotate" }).click();
    await button("Make a new secret").click();
    expect(await page.locator(".secret").textContent()).not.toBe(secret);
    await button("I have it").click();
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByLabel(/^Type .* to confirm/).fill(secret.split("_")[2] ?? "");
    await button("Revoke the key").click();
    await row.waitFor({ state: "detached" });
    expect(faults).toEqual([]);
    await close();
  });

  it("schemas are checked before they are changed, and a change that breaks a reader is forced", async () => {
    const { ledger } = world;
    await ledger.createStream("receipts");
    const reads = { "bill.sent": ["/total"] };
    const path = "/streams/receipts/subscriptions";
    await ledger.request({ method: "POST", path, body: { name: "books", reads } });
    const { page, faults, close } = await world.open("#/streams/receipts/about", world.adminKey);
    const card = page.getByRole("region", { name: "Schemas" });
    const button = (name: string) => dialogOf(page).getByRole("button", { name, exact: true });
    const write = async (schema: object) => {
      await card.getByRole("button", { name: "Change schemas" }).click();
      const text = JSON.stringify({ "bill.sent": schema });
      await page.getByLabel("JSON Schemas by type").fill(text);
    };
    await write({ type: "object", required: ["total"] });
    await page.getByLabel("Compatibility of changes").selectOption("backward");
    await button("Save").click();
    await card.getByText("backward").waitFor();
    await write({ type: "object" });
    await button("Check").click();
    await page.getByText("The change is refused.").waitFor();
    await page.getByText("books reads /total of bill.sent, which may no longer be").waitFor();
    await button("Save").click();
    await page.getByText("incompatible-schemas").waitFor();
    await page.getByLabel(/^Also change what the mode forbids/).check();
    await button("Save").click();
    await dialogOf(page).waitFor({ state: "detached" });
    expect(faults.filter((fault) => !fault.includes("409"))).toEqual([]);
    await close();
  });

  it("the limits of a key are set, shown and removed", async () => {
    const id = (await world.newKey({ scopes: ["publish"] })).split("_")[2] ?? "";
    const { page, faults, close } = await world.open("#/keys", world.adminKey);
    const row = page.getByRole("row", { name: new RegExp(id) });
    const field = page.getByLabel("Published events a second");
    for (const [before, after] of [
      ["", "500"],
      ["500", ""],
    ] as const) {
      await row.getByRole("button", { name: "Limits" }).click();
      await expect.poll(() => field.inputValue()).toBe(before);
      await field.fill(after);
      await dialogOf(page).getByRole("button", { name: "Save" }).click();
      await dialogOf(page).waitFor({ state: "detached" });
    }
    expect(faults).toEqual([]);
    await close();
  });

  it("a tenant is created, and its first key is shown once", async () => {
    const { page, faults, close } = await world.open("#/tenants", world.adminKey);
    await page.getByRole("button", { name: "Create a tenant" }).click();
    await page.getByLabel("Name", { exact: true }).fill("acme");
    await dialogOf(page).getByRole("button", { name: "Create" }).click();
    const secret = (await page.locator(".secret").textContent()) ?? "";
    expect(secret).toMatch(/^elk_/);
    await page.getByRole("button", { name: "I have it" }).click();
    expect(await page.getByText(secret).count()).toBe(0);
    await page.getByRole("cell", { name: "acme", exact: true }).waitFor();
    const other = await world.open("#/", secret);
    await other.page.getByText("Publish your first event").waitFor();
    await other.page.getByText("of acme").waitFor();
    expect([...faults, ...other.faults]).toEqual([]);
    await other.close();
    await close();
  });

  it("Back, a reload and a shared link show the same again", async () => {
    const { page, close } = await world.open("#/streams/orders/events", world.adminKey);
    await page.getByLabel("Type", { exact: true }).fill("order.paid");
    await page.getByRole("button", { name: "Show" }).click();
    await page
      .getByRole("row", { name: /order-1017/ })
      .first()
      .click();
    await page.getByRole("region", { name: "Event 600" }).waitFor();
    const shared = page.url();
    expect(shared).toContain("type=order.paid");
    await page.reload();
    await page.getByRole("region", { name: "Event 600" }).waitFor();
    expect(await page.getByLabel("Type", { exact: true }).inputValue()).toBe("order.paid");
    await page.goBack();
    await page.getByRole("region", { name: "Event 600" }).waitFor({ state: "detached" });
    expect(page.url()).toContain("type=order.paid");

    // In another tab, the link first asks for a key.
    const other = await world.open(new URL(shared).hash);
    await other.page.getByLabel("API key").fill(world.adminKey);
    await other.page.keyboard.press("Enter");
    await other.page.getByRole("region", { name: "Event 600" }).waitFor();
    await other.close();
    await close();
  });
}

import http from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import { seeLater, type World } from "./world.ts";

export function push(world: World): void {
  /** An endpoint, how it answers, and what it has received. */
  const received: { type?: string; key?: string; body: string; headers: object }[] = [];
  let answer: (key: string) => { status: number; text: string };
  let endpoint: http.Server;
  let url: string;
  beforeAll(async () => {
    answer = () => ({ status: 204, text: "" });
    endpoint = http.createServer(async (request, response) => {
      const body = (await buffer(request)).toString();
      const { type, key } = JSON.parse(body);
      received.push({ type, key, body, headers: request.headers });
      const { status, text } = answer(key);
      response.writeHead(status).end(text);
    });
    await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
    url = `http://localhost:${(endpoint.address() as AddressInfo).port}/hook`;
  });
  afterAll(() => endpoint.close());

  it("a person pushes a subscription, tests, resends, rotates, stops, goes on and ends", async () => {
    const { ledger } = world;
    await ledger.createStream("pushed");
    const stream = ledger.stream("pushed");
    await ledger.request({
      method: "POST",
      path: "/streams/pushed/subscriptions",
      body: { name: "shop", start: "earliest" },
    });
    const at = "#/streams/pushed/subscriptions/shop";
    const { page, faults, close } = await world.open(at, world.adminKey, { hasOwnClock: true });
    const card = page.getByRole("region", { name: "Push", exact: true });
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    const dialog = page.locator("dialog[open]");

    await button("Push to an endpoint").click();
    await page.getByLabel("URL").fill(url);
    await page.getByLabel("Keys at the same time").fill("4");
    await dialog.getByRole("button", { name: "Push", exact: true }).click();
    const first = (await page.locator(".secret").textContent()) ?? "";
    expect(first).toMatch(/^whsec_/);
    await button("I have it").click();
    await card.getByText("enabled", { exact: true }).waitFor();
    await card.getByText("4 keys", { exact: true }).waitFor();
    await card.getByText("No delivery has failed in the last 7 days.").waitFor();
    expect(await page.content()).not.toContain(first);

    await button("Send a test").click();
    await card.getByText("the endpoint answered 204").waitFor();
    const test = received.find(({ type }) => type === "eventledger.test");
    new Webhook(first).verify(test?.body ?? "", test?.headers as Record<string, string>);

    answer = (key) => (key === "bad" ? { status: 503, text: "closed <b>today</b>" } : OK);
    await stream.publish([
      { key: "good", data: 1 },
      { key: "bad", data: 2 },
    ]);
    const row = card.getByRole("row", { name: /bad/ }).first();
    await seeLater(page, row.getByText("503"));
    await row.getByText("closed <b>today</b>").waitFor();
    answer = () => OK;
    await row.getByRole("button", { name: "Resend event 2 of bad" }).click();
    await card.getByText("event 2 of bad").waitFor();
    await card.getByText("accepted", { exact: true }).waitFor();

    await button("Rotate the secret").click();
    await dialog.getByRole("button", { name: "Make a new secret" }).click();
    const second = (await page.locator(".secret").textContent()) ?? "";
    expect(second).toMatch(/^whsec_/);
    expect(second).not.toBe(first);
    await button("I have it").click();

    await button("Disable").click();
    await card.getByText("by request").waitFor();
    await card.getByText(/^Enable the push with POST/).waitFor();
    await button("Enable").click();
    await card.getByText("enabled", { exact: true }).waitFor();
    await button("Change the endpoint").click();
    await page.getByLabel("Format of a delivery").selectOption("cloudevents");
    await dialog.getByRole("button", { name: "Save" }).click();
    await card.getByText("CloudEvents", { exact: true }).waitFor();

    await button("End the push").click();
    await dialog.getByRole("button", { name: "End the push" }).click();
    await button("Push to an endpoint").waitFor();
    expect(await card.count()).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });

  it("a URL that the server refuses is named in the dialog", async () => {
    const at = "#/streams/payments/subscriptions/books";
    const { page, faults, close } = await world.open(at, world.adminKey);
    await page.getByText("Failed deliveries").waitFor();
    await page.getByRole("button", { name: "Change the endpoint" }).click();
    await page.getByLabel("URL").fill("ftp://shop.example/hook");
    await page.locator("dialog[open]").getByRole("button", { name: "Save" }).click();
    await page.getByText("must be an http or https URL").first().waitFor();
    expect(faults.filter((fault) => !fault.includes("400"))).toEqual([]);
    await close();
  });
}

const OK = { status: 204, text: "" };

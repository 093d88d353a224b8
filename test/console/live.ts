import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Page, Request } from "playwright-core";
import { expect, it } from "vitest";
import { seeLater, type World } from "./world.ts";

const EVENTS = 24;

/** Opens a proxy to the server whose connections can be cut. */
async function openCuttable(target: string) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    sockets.add(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
    client.on("close", () => sockets.delete(client));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    stop() {
      server.close();
      cut();
    },
  };
}

/** Counts the event streams that a page opens, and those that are open. */
function countStreams(page: Page) {
  const counts = { opened: 0, held: 0, most: 0, polls: 0 };
  const isStream = (headers: Record<string, string>) => headers.accept === "text/event-stream";
  page.on("request", (request) => {
    if (request.url().includes("waitSeconds=")) counts.polls += 1;
    if (!isStream(request.headers())) return;
    counts.opened += 1;
    counts.held += 1;
    counts.most = Math.max(counts.most, counts.held);
  });
  const onEnd = (request: Request) => {
    if (isStream(request.headers())) counts.held -= 1;
  };
  page.on("requestfinished", onEnd);
  page.on("requestfailed", onEnd);
  return counts;
}

const hide = (page: Page, isHidden: boolean) =>
  page.evaluate(
    `Object.defineProperty(document, "hidden", { get: () => ${isHidden}, configurable: true })`,
  );

export function live(world: World): void {
  it("a live list holds one connection, and wherever it is cut, each event appears once", async () => {
    const { ledger } = world;
    await ledger.createStream("cut");
    const stream = ledger.stream("cut");
    const way = await openCuttable(world.url);
    const { page, close } = await world.open("#/");
    const counts = countStreams(page);
    await page.goto(`${way.url}/console#key=${world.adminKey}`);
    await page.getByRole("link", { name: "cut" }).click();
    await page.getByText("No event here").waitFor();
    for (let n = 1; n <= EVENTS; n += 1) {
      await stream.publish({ key: `event-${n}`, data: n });
      // The publish has a different delay each time, so that it happens before, while and after the
      // page arrives.
      if (n % 8 === 0) await page.waitForTimeout(n);
      if (n % 8 === 0) way.cut();
    }
    await page.getByText(`${EVENTS} events`).waitFor();
    const keys = await page.locator(".log .row [role=gridcell].mono").allTextContents();
    expect(keys).toEqual(Array.from({ length: EVENTS }, (_, n) => `event-${EVENTS - n}`));
    expect(counts.most).toBe(1);
    expect(counts.opened).toBeGreaterThan(1);
    expect(counts.polls).toBe(0);
    await close();
    way.stop();
  });

  it("a paused or hidden list holds no connection, and misses nothing", async () => {
    const { ledger } = world;
    await ledger.createStream("held");
    const stream = ledger.stream("held");
    const { page, faults, close } = await world.open("#/streams/held/events", world.adminKey);
    const counts = countStreams(page);
    await page.reload();
    const row = (key: string) => page.getByRole("row", { name: new RegExp(key) });
    const isHeld = (count: number) => expect.poll(() => counts.held).toBe(count);
    await isHeld(1);
    await page.keyboard.press("l");
    await isHeld(0);
    await stream.publish({ key: "while-paused", data: 1 });
    await page.keyboard.press("l");
    await row("while-paused").waitFor();
    await isHeld(1);
    await hide(page, true);
    await isHeld(0);
    await stream.publish({ key: "while-hidden", data: 2 });
    await hide(page, false);
    await row("while-hidden").waitFor();
    expect(await row("while").count()).toBe(2);
    await page.getByRole("link", { name: "Settings" }).click();
    await isHeld(0);
    expect(faults).toEqual([]);
    await close();
  });

  it("where the server does not stream, the list polls", async () => {
    const { page, faults, close } = await world.open("#/");
    const counts = countStreams(page);
    await page.route("**/whoami", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ json: { ...(await response.json()), streaming: false } });
    });
    await page.goto(`${world.url}/console#key=${world.adminKey}`);
    await page.getByRole("link", { name: "catalog" }).click();
    await page.getByRole("row", { name: /article-39/ }).waitFor();
    await world.ledger.stream("catalog").publish({ key: "by-poll", data: 1 });
    await page.getByRole("row", { name: /by-poll/ }).waitFor();
    expect(counts.polls).toBeGreaterThan(0);
    expect(counts.opened).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });

  it("while the server is away, a page says since when, and then goes on by itself", async () => {
    const { page, close } = await world.open("#/streams", world.adminKey, {
      hasOwnClock: true,
    });
    await page.getByRole("link", { name: "orders" }).waitFor();
    await page.route("**/streams*", (route) => route.abort());
    await seeLater(page, page.getByText(/^No answer since \d\d:\d\d:\d\d\. Trying again\.$/));
    expect(await page.getByRole("link", { name: "orders" }).count()).toBe(1);
    await page.goto(`${world.url}/console#/streams/orders/events`);
    await page.route("**/streams/**", (route) => route.abort());
    await page.reload();
    await page.getByText("The server does not answer.").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await page
      .getByRole("row", { name: /order-1003/ })
      .first()
      .waitFor();
    expect(await page.getByText("The server does not answer.").count()).toBe(0);
    await close();
  });
}

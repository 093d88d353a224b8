import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { Frame, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { builtConsole } from "../../packages/console/build/built.ts";
import { administer } from "../../packages/sdk/src/admin/index.ts";
import { rawJson } from "../../packages/sdk/src/index.ts";
import { findings, LOOKS, scrollsSideways } from "./accessible.ts";
import { openWorld, seeLater } from "./world.ts";

const KIB = 1_024;
const OTHERS = "of-others-only";
const STREAM = "sales";

/** A site that embeds the portal, and hands it a token when it is asked for one. */
const HOST_PAGE = `<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>
<iframe id="events" title="Events" style="width:100%;height:200px"></iframe>
<script>
  const frame = document.getElementById("events");
  const server = new URLSearchParams(location.search).get("server");
  window.messages = [];
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== frame.contentWindow || origin !== server) return;
    messages.push(data);
    if (data.type === "eventledger.height") frame.style.height = data.height + "px";
    if (data.type === "eventledger.token-needed" && window.token) {
      source.postMessage({ type: "eventledger.token", token: window.token }, server);
    }
  });
</script></html>`;

export function portal(): void {
  const ancestors: string[] = [];
  const host = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(HOST_PAGE);
  });
  let status = 204;
  const received: { readonly key: string; readonly type: string }[] = [];
  const receiver = createServer(async (request, response) => {
    received.push(JSON.parse(Buffer.concat(await request.toArray()).toString()));
    response.writeHead(status).end(status === 204 ? "" : "no room <b>left</b>");
  });
  const urlOf = (server: typeof host) =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  beforeAll(async () => {
    for (const server of [host, receiver]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    ancestors.push(urlOf(host));
  });
  const world = openWorld({ isSeeded: false, portalAncestors: ancestors });
  afterAll(() => {
    for (const server of [host, receiver]) {
      server.closeAllConnections();
      server.close();
    }
  });

  const admin = () => administer({ url: world.url, apiKey: world.adminKey });
  const mint = async (scopes: readonly ("read" | "endpoints")[], ttlSeconds?: number) => {
    const grant = { streams: [STREAM], keyPrefix: "acme/", scopes, ttlSeconds };
    const { token } = await admin().createPortalToken({ ...grant, subscriptions: ["acme"] });
    return token;
  };
  beforeAll(async () => {
    await world.ledger.createStream(STREAM);
    await world.ledger.stream(STREAM).publish([
      { key: "acme/order-1", type: "order.placed", data: rawJson('{"total":1e400}') },
      { key: `other/${OTHERS}`, type: OTHERS, data: { [OTHERS]: OTHERS } },
      { key: "acme/order-2", type: "order.placed", data: { total: 7 } },
      { key: "acme/<b>rtl-\u202E", type: "<img src=x onerror=alert(1)>", data: null },
    ]);
    const filter = { keyPrefix: "acme/" };
    await admin().subscriptions(STREAM).create("acme", { start: "latest", filter });
  }, 60_000);

  const see = (page: Page | Frame, text: string | RegExp) =>
    page.getByText(text).locator("visible=true").first().waitFor();
  const press = (page: Page | Frame, name: string | RegExp) =>
    page.getByRole("button", { name, exact: true }).first().click();

  it("[portal.page] a customer sees their events, and the token is in no address and in no storage of others", async () => {
    const token = await mint(["read"]);
    const { page, faults, close } = await world.openPage(`${world.url}/portal#token=${token}`);
    await see(page, "acme/order-2");
    await see(page, "acme/<b>rtl-\\u202e");
    expect(page.url()).toBe(`${world.url}/portal`);
    expect(await page.getByRole("button", { name: "Endpoint" }).count()).toBe(0);
    await page.getByText("acme/order-1").click();
    await see(page, "1e400");
    await page.getByLabel("Key begins with").fill("acme/order-2");
    await press(page, "Show the newest");
    await expect.poll(() => page.getByText("acme/order-1").count()).toBe(0);
    await see(page, "acme/order-2");
    await page.getByLabel("Key begins with").fill("other/");
    await press(page, "Show the newest");
    await see(page, /must begin with "acme\/"/);
    await page.getByLabel("Key begins with").fill("");
    await page.getByLabel("From", { exact: true }).fill("2026-01-01T00:00:00");
    await press(page, "Show from then on");
    await see(page, "acme/order-1");
    const [first] = await page.locator(".log .name").allInnerTexts();
    expect(first).toBe("acme/order-1");
    expect(await page.content()).not.toContain(OTHERS);
    await page.reload();
    await see(page, "acme/order-2");
    expect(faults.filter((fault) => !fault.includes("403"))).toEqual([]);
    await close();
  });

  it("[portal.page] a customer sets an endpoint, tests it, sees what failed, resends and replays", async () => {
    const token = await mint(["read", "endpoints"]);
    const { page, faults, close } = await world.openPage(`${world.url}/portal#token=${token}`, {
      hasOwnClock: true,
    });
    await press(page, "Endpoint");
    await page.getByLabel("URL").fill("not a url://");
    await page.getByLabel("URL").fill(urlOf(receiver));
    await press(page, "Send events there");
    await see(page, /^whsec_/);
    await press(page, "I have it");
    await see(page, "enabled");
    expect(await page.content()).not.toContain("whsec_");
    await press(page, "Send a test event");
    await see(page, "The endpoint answered 204.");
    expect(received.at(-1)?.type).toBe("eventledger.test");

    status = 500;
    await world.ledger
      .stream(STREAM)
      .publish({ key: "acme/order-3", type: "order.placed", data: 1 });
    await seeLater(page, page.getByText("acme/order-3").locator("visible=true").first());
    await see(page, "no room <b>left</b>");
    await press(page, /^Send again acme\/order-3/);
    await see(page, "The endpoint did not accept it: answered 500.");
    status = 204;
    await press(page, /^Send again acme\/order-3/);
    await see(page, "Sent. The endpoint answered 204.");

    received.length = 0;
    await press(page, "Replay");
    await page.locator("dialog[open]").getByRole("button", { name: "Send again" }).click();
    await expect
      .poll(() => received.map(({ key }) => key).sort(), { timeout: 60_000 })
      .toEqual(expect.arrayContaining(["acme/<b>rtl-\u202E", "acme/order-1", "acme/order-2"]));
    expect(JSON.stringify(received)).not.toContain(OTHERS);

    await press(page, "Switch sending off");
    await see(page, "disabled");
    await press(page, "Switch sending on");
    await see(page, "enabled");
    await press(page, "New secret");
    await press(page, "Make a new secret");
    await see(page, /^whsec_/);
    await press(page, "I have it");
    await press(page, "Change");
    await page
      .locator("dialog[open]")
      .getByLabel("URL")
      .fill(`${urlOf(receiver)}/other`);
    await page.locator("dialog[open]").getByRole("button", { name: "Change" }).click();
    await see(page, `${urlOf(receiver)}/other`);
    await press(page, "Remove");
    await page.locator("dialog[open]").getByRole("button", { name: "Remove" }).click();
    await see(page, "Send events there");
    expect(await page.content()).not.toContain(OTHERS);
    // A browser reports each answer of 404 by itself, and there is none before the endpoint is set.
    expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
    await close();
  });

  it("[portal.framed] a named site embeds the portal, and hands it a token and a theme", async () => {
    const { page, faults, close } = await world.openPage(`${urlOf(host)}/?server=${world.url}`);
    const frameUrl = `${world.url}/portal`;
    await page.evaluate(`document.getElementById("events").src = ${JSON.stringify(frameUrl)}`);
    const asked = `messages.some(({ type }) => type === "eventledger.token-needed")`;
    await expect.poll(() => page.evaluate(asked)).toBe(true);
    const frame = page.frames().find((one) => one.url().startsWith(frameUrl));
    if (frame === undefined) return expect.fail("the portal is not in the frame");
    await see(frame, "This page needs a token");
    const send = (message: object) =>
      page.evaluate(
        `document.getElementById("events").contentWindow.postMessage(${JSON.stringify(message)}, "*")`,
      );
    await send({ type: "eventledger.token", token: await mint(["read"]) });
    await see(frame, "acme/order-2");
    await send({
      type: "eventledger.theme",
      theme: { scheme: "dark", accent: "rgb(255, 0, 128)", paper: "url(https://x.example/)" },
    });
    const styleOf = (property: string) =>
      frame.evaluate(
        `getComputedStyle(document.documentElement).getPropertyValue(${JSON.stringify(property)})`,
      );
    await expect.poll(() => styleOf("--accent")).toBe("rgb(255, 0, 128)");
    expect(await styleOf("color-scheme")).toBe("dark");
    expect(await styleOf("--paper")).not.toContain("url");
    const heights = `messages.filter(({ type }) => type === "eventledger.height").length`;
    expect(await page.evaluate(heights)).toBeGreaterThan(0);
    expect(faults).toEqual([]);
    await close();
  });

  it("[portal.framed] no other site embeds the portal, and no site the console", async () => {
    const headersOf = async (at: string) => (await fetch(`${world.url}${at}`)).headers;
    const named = await headersOf("/portal");
    expect(named.get("content-security-policy")).toContain(`frame-ancestors ${urlOf(host)};`);
    expect(named.get("x-frame-options")).toBeNull();
    for (const at of ["/console", "/portal-tokens", "/health"]) {
      expect((await headersOf(at)).get("x-frame-options"), at).toBe("DENY");
    }
    const elsewhere = urlOf(host).replace("127.0.0.1", "localhost");
    const { page, faults, close } = await world.openPage(`${elsewhere}/?server=${world.url}`);
    await page.evaluate(
      `document.getElementById("events").src = ${JSON.stringify(`${world.url}/portal`)}`,
    );
    await expect.poll(() => faults.join()).toContain("frame-ancestors");
    await close();
  });

  it("[portal.page] a page whose token has ended asks for another one, and shows nothing more", async () => {
    const token = await mint(["read"]);
    const { page, close } = await world.openPage(`${world.url}/portal#token=${token}x`);
    await see(page, "The access has ended");
    await page.evaluate(`location.hash = ${JSON.stringify(`token=${token}&accent=%23b4005a`)}`);
    await see(page, "acme/order-2");
    expect(page.url()).toBe(`${world.url}/portal#accent=%23b4005a`);
    await page.route("**/streams/**", (route) =>
      route.fulfill({
        status: 401,
        contentType: "application/problem+json",
        body: JSON.stringify({ code: "unauthorized", status: 401, detail: "expired" }),
      }),
    );
    await press(page, "Show the newest");
    await see(page, "The access has ended");
    expect(await page.getByText("acme/order-2").count()).toBe(0);
    await close();
  });

  it("axe-core finds nothing in the portal, light or dark, on a desk or a phone", async () => {
    const token = await mint(["read", "endpoints"]);
    const { page, close } = await world.openPage(`${world.url}/portal#token=${token}`, {
      hasOwnClock: true,
    });
    const found: string[] = [];
    const look = async (what: string) => {
      for (const { colorScheme, width, rules } of LOOKS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 844 });
        const where = `${what}, ${colorScheme}, ${width} pixels`;
        found.push(...(await findings(page, rules)).map((finding) => `${where}: ${finding}`));
        if (await scrollsSideways(page)) found.push(`${where}: scrolls sideways`);
      }
      await page.setViewportSize({ width: 1440, height: 844 });
    };
    await page.getByText("acme/order-1").click();
    await see(page, "1e400");
    await look("events");
    await press(page, "Endpoint");
    await see(page, "Send events there");
    await look("no endpoint");
    status = 500;
    await page.getByLabel("URL").fill(urlOf(receiver));
    await press(page, "Send events there");
    await see(page, /^whsec_/);
    await look("a secret");
    await press(page, "I have it");
    await press(page, "Send a test event");
    await see(page, "The endpoint did not accept it");
    await world.ledger.stream(STREAM).publish({ key: "acme/order-4", data: 1 });
    await seeLater(page, page.getByText("acme/order-4").locator("visible=true").first());
    await look("an endpoint");
    await press(page, "Replay");
    await look("replay");
    await page.keyboard.press("Escape");
    await page.goto(`${world.url}/portal#token=elt_wrong`);
    await see(page, "The access has ended");
    await look("no access");
    expect(found).toEqual([]);
    await admin().pushes(STREAM).delete("acme");
    await close();
  }, 120_000);

  it("[portal.page] a page that is loaded again before the server answers keeps its token", async () => {
    const token = await mint(["read"]);
    const { page, close } = await world.openPage(`${world.url}/portal`);
    await page.route("**/whoami", () => {});
    await page.goto(`${world.url}/portal?again#token=${token}`);
    await page.unroute("**/whoami");
    await page.reload();
    await see(page, "acme/order-2");
    await close();
  });

  it("the portal takes at most 30 KB as gzip", async () => {
    const folder = await builtConsole();
    const token = await mint(["read", "endpoints"]);
    const { page, close } = await world.openPage(`${world.url}/portal`);
    const files: string[] = [];
    page.on("response", (response) => files.push(new URL(response.url()).pathname));
    await page.goto(`${world.url}/portal?again#token=${token}`);
    await page.reload();
    await see(page, "acme/order-2");
    await close();
    const known = new Set(readdirSync(path.join(folder, "assets")));
    const loaded = [...new Set(files.map((file) => path.basename(file)))];
    const bytes = loaded
      .filter((name) => known.has(name))
      .map((name) => gzipSync(readFileSync(path.join(folder, "assets", name))).length);
    const total = bytes.reduce((sum, one) => sum + one, 0);
    console.log(`the portal: ${total} bytes in ${bytes.length} files`);
    expect(total).toBeGreaterThan(5 * KIB);
    expect(total).toBeLessThanOrEqual(30 * KIB);
  });
}

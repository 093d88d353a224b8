import { randomUUID } from "node:crypto";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject } from "vitest";
import { type Stack, startStack } from "../../packages/local/src/stack.ts";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { chromiumPath, launch } from "./browser.ts";
import { seed } from "./seed.ts";

/** A page, and a list of everything that must not happen on it. */
export type Watched = { readonly page: Page; readonly faults: string[]; close(): Promise<void> };

export type PageOptions = BrowserContextOptions & {
  /** The clock of the page can jump ahead (`seeLater`). */
  readonly hasOwnClock?: boolean;
};

/** One stack with data, one browser, and keys of several rights. */
export type World = {
  readonly url: string;
  readonly adminKey: string;
  readonly ledger: EventLedger;
  /** Creates a key with the given settings. */
  newKey(members: Readonly<Record<string, unknown>>): Promise<string>;
  /** Opens a page of any server. Only it and this stack may get requests. */
  openPage(url: string, options?: PageOptions): Promise<Watched>;
  /** Opens the console at an address. With a key, it is signed in. */
  open(hash: string, key?: string, options?: PageOptions): Promise<Watched>;
};

/** The longest time after which a view loads its content again. */
const AGAIN_MS = 10_000;

/**
 * Waits for what a page with its own clock shows when it loads its content again by itself. The
 * clock jumps to that time.
 */
export async function seeLater(page: Page, shown: Locator): Promise<void> {
  for (let jumps = 0; jumps < 30; jumps += 1) {
    await page.clock.fastForward(AGAIN_MS);
    const isThere = await shown.waitFor({ timeout: 500 }).then(
      () => true,
      () => false,
    );
    if (isThere) return;
  }
  await shown.waitFor();
}

type Options = {
  readonly isSeeded?: boolean;
  /** The sites that may embed the portal, read when the stack starts. */
  readonly portalAncestors?: readonly string[];
};

export function openWorld({ isSeeded = true, portalAncestors = [] }: Options = {}): World {
  let stack: Stack;
  let browser: Browser;
  beforeAll(async () => {
    const endpoint = inject("dynamoEndpoint");
    const tableName = `console-${randomUUID()}`;
    stack = await startStack({ endpoint, tableName, portalAncestors });
    if (isSeeded) await seed(stack);
    browser = await launch(chromiumPath() ?? expect.fail("no Chromium"));
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  const ledger = () => new EventLedger({ url: stack.url, apiKey: stack.adminKey });
  return {
    get url() {
      return stack.url;
    },
    get adminKey() {
      return stack.adminKey;
    },
    get ledger() {
      return ledger();
    },
    async newKey(members) {
      const body = { name: "of a test", streams: ["*"], ...members };
      const made = await ledger().request<{ apiKey: string }>({
        method: "POST",
        path: "/keys",
        body,
      });
      return made.apiKey;
    },
    async openPage(url, options) {
      const watched = await newPage(options, [stack.url, new URL(url).origin]);
      await watched.page.goto(url);
      return watched;
    },
    async open(hash, key, options) {
      const { page, faults, close } = await newPage(options, [stack.url]);
      if (key !== undefined) {
        await page.goto(`${stack.url}/console#key=${encodeURIComponent(key)}`);
        await page.getByRole("button", { name: "Sign out" }).waitFor();
      }
      await page.goto(`${stack.url}/console${hash}`);
      return { page, faults, close };
    },
  };

  async function newPage(
    { hasOwnClock = false, ...options }: PageOptions = {},
    urls: readonly string[],
  ): Promise<Watched> {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      reducedMotion: "reduce",
      ...options,
    });
    const page = await context.newPage();
    if (hasOwnClock) await page.clock.install();
    page.setDefaultTimeout(60_000);
    return { page, faults: watch(page, urls), close: () => context.close() };
  }
}

/** Collects errors of the page, violations of its policy, and requests to other servers. */
function watch(page: Page, urls: readonly string[]): string[] {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const isKnown = urls.some((url) => request.url().startsWith(`${url}/`));
    if (!isKnown) faults.push(`request: ${request.url()}`);
  });
  return faults;
}

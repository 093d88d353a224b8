import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startStack } from "../../packages/local/src/stack.ts";
import { EventLedger } from "../../packages/sdk/src/index.ts";
import { chromiumPath, launch } from "../../test/console/browser.ts";
import { seed } from "../../test/console/seed.ts";

/** Takes the pictures of docs/console.md, from a stack with made-up data. */
const VIEWS = [
  ["streams", "#/streams", 16_000],
  ["event", "#/streams/orders/events?seq=588&of=order-1005", 1_500],
  ["versions", "#/streams/orders/key?key=order-1003&left=489&right=586", 1_500],
  ["subscription", "#/streams/orders/subscriptions/shipping", 11_000],
] as const;

/** Simulates a shop at work, so that rates and lags have values to show. */
async function publishSome({ url, adminKey }: { url: string; adminKey: string }): Promise<void> {
  const ledger = new EventLedger({ url, apiKey: adminKey });
  const now = Date.now() / 1_000;
  for (const [stream, most] of [
    ["orders", 9],
    ["payments", 4],
  ] as const) {
    const count = Math.max(1, Math.round(most * (1 + Math.sin(now / 2)) * 0.5));
    const events = Array.from({ length: count }, (_, n) => ({
      key: `order-${1_000 + n}`,
      type: "order.placed",
      data: { total: 20 + n },
    }));
    await ledger.stream(stream).publish(events);
  }
}

const folder = join(import.meta.dirname, "../../docs/images");
mkdirSync(folder, { recursive: true });
const executable = chromiumPath();
if (executable === undefined) throw new Error("No Chromium was found. Set CHROMIUM.");
const stack = await startStack({});
const browser = await launch(executable);
try {
  await seed(stack);
  for (const colorScheme of ["light", "dark"] as const) {
    const traffic = setInterval(() => void publishSome(stack), 700);
    const context = await browser.newContext({
      colorScheme,
      viewport: { width: 1180, height: 720 },
    });
    const page = await context.newPage();
    await page.goto(`${stack.url}/console#key=${stack.adminKey}`);
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    for (const [name, hash, ms] of VIEWS) {
      if (colorScheme === "dark" && name !== "event") continue;
      await page.goto(`${stack.url}/console${hash}`);
      await page.waitForTimeout(ms);
      if (name === "event") await page.getByText(/all there are/).waitFor();
      if (name === "versions") await page.getByLabel("Comparison").scrollIntoViewIfNeeded();
      const suffix = colorScheme === "dark" ? "-dark" : "";
      await page.screenshot({ path: join(folder, `console-${name}${suffix}.png`) });
    }
    clearInterval(traffic);
    await context.close();
  }
} finally {
  await browser.close();
  await stack.stop();
}

import type { Page } from "playwright-core";

export const MANY = 100_000;

/** Serves a made-up stream of 100,000 events, each with a different key. */
export async function serveManyEvents(page: Page): Promise<void> {
  await page.route("**/streams/orders/events?*", async (route) => {
    const request = route.request();
    const isLive = request.headers().accept === "text/event-stream";
    const query = new URL(request.url()).searchParams;
    if (isLive || query.has("waitSeconds")) return;
    await route.fulfill({ json: pageOf(query.get("from") ?? "", Number(query.get("limit"))) });
  });
}

/** Returns a page of the stream, backwards from a cursor. */
function pageOf(from: string, limit: number) {
  const end = /^\d+$/.test(from) ? Number(from) : MANY;
  const count = from === "latest" ? 0 : Math.min(limit, end);
  const events = Array.from({ length: count }, (_, n) => ({
    sequence: end - n,
    publishedAt: new Date(1_790_000_000_000 + (end - n) * 10).toISOString(),
    id: `id-${end - n}`,
    key: `key-${end - n}`,
    type: "order.paid",
    data: { total: end - n },
  }));
  return {
    events,
    cursor: String(end - count),
    caughtUp: end - count === 0,
    looked: count,
    life: "a-life",
    nextPollMs: 1_000,
    waitSecondsAdvised: 20,
  };
}

/** Opens the list and scrolls until it has all events. */
export async function openManyEvents(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/console#/streams/orders/events`);
  await page.getByRole("row", { name: /key-/ }).first().waitFor();
  await page.evaluate(LOAD_ALL);
  await page.getByText("100,000 events").waitFor();
}

const LOAD_ALL = `(async () => {
  const button = () =>
    [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Go on");
  while (document.querySelector(".log-foot").textContent.includes("all there are") === false) {
    button()?.click();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
})()`;

/** Scrolls the list and waits for the frame. Returns the number of rows that the page then has. */
export const scrollList = (page: Page, to: string): Promise<number> =>
  page.evaluate(`(async () => {
    const list = document.querySelector("[role=grid]");
    list.scrollTop = ${to};
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return document.querySelectorAll(".log .row").length;
  })()`);

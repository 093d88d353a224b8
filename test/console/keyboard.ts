import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import type { World } from "./world.ts";

/**
 * Returns the focused element: its name, and whether its focus is visible. A new view has the focus
 * as a whole, as a new page would, and shows no ring.
 */
const FOCUS = `(() => {
  const { activeElement: at, body } = document;
  if (at === body) return { name: "nothing", isSeen: false };
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  const label = at.closest("label") ?? document.querySelector("label[for='" + at.id + "']");
  const name = at.getAttribute("aria-label") ?? (label ?? at).textContent.trim();
  const isRing = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
  const isInside = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
  return { name: at.id === "main" ? "main" : name, isSeen: isInside && (isRing || at.id === "main") };
})()`;

type Focus = { readonly name: string; readonly isSeen: boolean };

/** Acts as a person at the keyboard, who must see the focus after every step. */
function personAt(page: Page) {
  const { keyboard } = page;
  const focus = async (): Promise<Focus> => (await page.evaluate(FOCUS)) as Focus;
  const person = {
    /** Presses keys, one after the other. */
    async press(...keys: string[]) {
      for (const key of keys) await keyboard.press(key);
    },
    type: (text: string) => keyboard.type(text),
    /**
     * Presses Tab until an element of this name has the focus. An element may appear only once the
     * view has loaded again.
     */
    async tabTo(name: string | RegExp) {
      const passed: string[] = [];
      for (let steps = 0; steps < 1_200; steps += 1) {
        if (steps % 60 === 59) await page.waitForTimeout(500);
        const at = await focus();
        if (typeof name === "string" ? at.name === name : name.test(at.name)) {
          expect(at.isSeen, `${name} has the focus, and shows it`).toBe(true);
          return;
        }
        passed.push(at.name.slice(0, 30));
        await keyboard.press("Tab");
      }
      const last = passed.slice(-60).join(", ");
      expect.fail(`Tab does not lead to ${name}, but to ${last}`);
    },
    /**
     * Checks that the dialog is closed, and that the focus is visible at an element of this name.
     */
    async isBackAt(name: string | RegExp) {
      await page.locator("dialog[open]").waitFor({ state: "detached" });
      await expect.poll(async () => (await focus()).name).toMatch(name);
      expect(await focus()).toMatchObject({ isSeen: true });
    },
    async isAt(name: string | RegExp) {
      await expect.poll(async () => (await focus()).name).toMatch(name);
    },
    sees: (text: string | RegExp) => page.getByText(text).locator("visible=true").first().waitFor(),
  };
  return person;
}

type Person = ReturnType<typeof personAt>;

export function keyboard(world: World): void {
  it("the whole job needs no mouse, and the focus is always seen", async () => {
    const { page, faults, close } = await world.open("#/");
    const person = personAt(page);
    await person.isAt(/API key/);
    await person.type(world.adminKey);
    await person.press("Enter");
    await person.sees("billing.invoices");

    await createAndPublish(person);
    await lookAtAKey(person);
    await subscribeAndSeek(person);
    await park(world);
    await retryAndSkip(person);
    await manageKeys(person, page);
    await deleteStream(person);
    expect(faults).toEqual([]);
    await close();
  });
}

async function createAndPublish(person: Person): Promise<void> {
  await person.tabTo("Create a stream");
  await person.press("Enter");
  await person.isAt(/^Name/);
  await person.type("by-keys");
  await person.press("Enter");
  await person.isBackAt("Create a stream");
  await person.sees("by-keys");
  await person.tabTo("by-keys");
  await person.press("Enter");
  await person.sees("No event here");
  for (const total of [1, 2]) {
    await person.tabTo("Publish an event");
    await person.press("Enter");
    await person.isAt(/^Key/);
    await person.type("cart-1");
    await person.tabTo(/^Data/);
    await person.press("Control+A");
    await person.type(`{"total":${total}}`);
    await person.tabTo("Publish");
    await person.press("Enter");
    await person.isBackAt("Publish an event");
    await person.sees(`{"total":${total}}`);
  }
  await person.press("p");
  await person.isAt(/^Key/);
  await person.type("cart-2");
  await person.press("Enter");
  await person.isBackAt("Publish an event");
  await person.sees("cart-2");
}

async function lookAtAKey(person: Person): Promise<void> {
  await person.press("j");
  await person.isAt("Events of by-keys");
  await person.press("j", "j", "Enter");
  await person.sees("Event 2");
  await person.press("j");
  await person.sees("Event 1");
  await person.press("k");
  await person.tabTo("Close");
  await person.press("Enter");
  await person.isBackAt("Events of by-keys");
  await person.press("Enter");
  await person.tabTo("cart-1");
  await person.press("Enter");
  await person.sees("2 versions");
  await person.sees("1 line differs.");
  await person.tabTo("Event 1 on the left");
  await person.press("ArrowUp");
  await person.isAt("Event 2 on the left");
}

async function subscribeAndSeek(person: Person): Promise<void> {
  await person.press("Shift+Tab");
  await person.tabTo("Subscriptions");
  await person.press("Enter");
  await person.tabTo("Create a subscription");
  await person.press("Enter");
  await person.isAt(/^Name/);
  await person.type("reader");
  await person.press("Enter");
  await person.isBackAt("Create a subscription");
  await person.tabTo("reader");
  await person.press("Enter");
  await person.sees("Events to go");
  await person.tabTo("Seek");
  await person.press("Enter");
  await person.isAt(/a time, a sequence or a cursor/);
  await person.tabTo(/^Time, sequence or cursor/);
  await person.type("#2");
  await person.tabTo("Look first");
  await person.press("Enter");
  await person.sees("2 events will be delivered. 1 event will be left out.");
  await person.isAt("Move reader");
  await person.press("Enter");
  await person.isBackAt("Seek");
}

async function park({ ledger }: World): Promise<void> {
  const parking = ledger.stream("by-keys").subscription("reader");
  await parking.park({ key: "cart-1", sequence: 2, reason: "no stock" });
  await parking.park({ key: "cart-2", sequence: 3, reason: "no address" });
}

async function retryAndSkip(person: Person): Promise<void> {
  await person.tabTo(/^(none|2)$/);
  await person.press("Enter");
  await person.sees("no stock");
  await person.tabTo("Retry cart-1");
  await person.press("Enter");
  await person.sees("1 result");
  await person.isAt(/./);
  await person.tabTo("Skip cart-2");
  await person.press("Enter");
  await person.tabTo("Skip");
  await person.press("Enter");
  await person.sees("2 results");
  await person.isBackAt(/./);
}

async function manageKeys(person: Person, page: Page): Promise<void> {
  await person.tabTo("Keys");
  await person.press("Enter");
  await person.sees("API keys");
  await person.tabTo("Create a key");
  await person.press("Enter");
  await person.isAt(/^Name/);
  await person.type("typed");
  await person.tabTo(/^read/);
  await person.press("Space", "Enter");
  await person.sees("It is shown only this once.");
  await person.tabTo("I have it");
  await person.press("Enter");
  await person.isBackAt("Create a key");
  await person.tabTo("Rotate typed");
  await person.press("Enter");
  await person.tabTo("Make a new secret");
  await person.press("Enter");
  await person.tabTo("I have it");
  await person.press("Enter");
  await person.isBackAt("Rotate typed");
  await person.tabTo("Revoke typed");
  await person.press("Enter");
  await person.tabTo(/^Type .* to confirm/);
  const label = (await page.getByText(/^Type .* to confirm$/).textContent()) ?? "";
  await person.type(label.split(" ")[1] ?? "");
  await person.press("Enter");
  await page.getByText("typed", { exact: true }).waitFor({ state: "detached" });
  await person.isBackAt("API keys");
}

async function deleteStream(person: Person): Promise<void> {
  await person.tabTo("Streams");
  await person.press("Enter");
  await person.sees("by-keys");
  await person.press("j", "j");
  await person.isAt("by-keys");
  await person.press("Enter");
  await person.tabTo("Settings");
  await person.press("Enter");
  await person.tabTo("Delete");
  await person.press("Enter");
  await person.type("by-keys");
  await person.press("Enter");
  await person.sees("The stream by-keys is deleted.");
  await person.isBackAt("main");
}

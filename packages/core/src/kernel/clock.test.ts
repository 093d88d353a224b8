import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { ageMs, systemClock, within } from "./clock.ts";

const never = new Promise<never>(() => {});

describe("within", () => {
  it("within returns a result that is available in time", async () => {
    expect(await within(systemClock, 5_000, Promise.resolve(7))).toBe(7);
    const soon = systemClock.sleep(5).then(() => 8);
    expect(await within(systemClock, 5_000, soon)).toBe(8);
  });

  it("within returns nothing once the time is up", async () => {
    expect(await within(systemClock, 5, never)).toBeUndefined();
    expect(await within(systemClock, -1, never)).toBeUndefined();
  });

  it("within throws an error in time, and hides a later one", async () => {
    const wrong = Promise.reject(new Error("wrong"));
    await expect(within(systemClock, 5_000, wrong)).rejects.toThrow("wrong");
    const later = systemClock.sleep(20).then(() => Promise.reject(new Error("later")));
    expect(await within(systemClock, 1, later)).toBeUndefined();
    await systemClock.sleep(40);
  });
});

/** Counts the timers of this process. Nothing else starts or ends one within a step of a test. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

describe("a sleep", () => {
  it("ends at once when its signal aborts, and leaves no timer and no listener", async () => {
    const before = timers();
    const over = new AbortController();
    const sleep = systemClock.sleep(60_000, over.signal);
    expect(timers()).toBe(before + 1);
    over.abort();
    await sleep;
    expect(timers()).toBe(before);
    await systemClock.sleep(60_000, over.signal);
    expect(timers()).toBe(before);
  });

  it("leaves no listener when its time is over", async () => {
    const { signal } = new AbortController();
    const sleep = systemClock.sleep(1, signal);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await sleep;
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("is over with the work that it limits", async () => {
    const before = timers();
    await within(systemClock, 60_000, Promise.resolve());
    expect(timers()).toBe(before);
  });
});

describe("the age of a stamp", () => {
  const at = (wallMs: number, monotonicMs: number) =>
    ageMs(
      { ...systemClock, now: () => wallMs, monotonic: () => monotonicMs },
      { wallMs: 1_000, monotonicMs: 50 },
    );

  it("is the larger one by the two clocks, so neither a freeze nor a set-back hides it", () => {
    expect(at(1_300, 60)).toBe(300);
    expect(at(400, 70)).toBe(20);
  });
});

import { describe, expect, it } from "vitest";
import { systemClock, within } from "./clock.ts";

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

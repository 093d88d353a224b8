import { describe, expect, it } from "vitest";
import { again, backOff, fullJitterMs, retry } from "./retry.ts";

const refuse = (cause: unknown) => ({ gaveUp: cause });

describe("retry", () => {
  it("returns the first result, and numbers the attempts from 0", async () => {
    const numbers: number[] = [];
    const attempt = async (number: number) => {
      numbers.push(number);
      return number < 2 ? again() : "done";
    };
    expect(await retry<unknown>({ tries: 5, giveUp: refuse }, attempt)).toBe("done");
    expect(numbers).toEqual([0, 1, 2]);
  });

  it("undefined counts as a result", async () => {
    expect(await retry({ tries: 1, giveUp: () => "gave up" }, async () => undefined)).toBe(
      undefined,
    );
  });

  it("a retry gives up after the last attempt with its cause, and does not pause after it", async () => {
    const pauses: number[] = [];
    const limits = {
      tries: 3,
      pause: async (attempt: number) => {
        pauses.push(attempt);
      },
      giveUp: refuse,
    };
    expect(await retry<unknown>(limits, async (number) => again(number))).toEqual({ gaveUp: 2 });
    expect(pauses).toEqual([0, 1]);
  });

  it("throws the last cause if nothing else is decided", async () => {
    const cause = new Error("no answer");
    await expect(retry({ tries: 2 }, async () => again(cause))).rejects.toBe(cause);
  });

  it("throws an error of an attempt at once", async () => {
    let attempts = 0;
    const refused = retry({ tries: 3 }, async () => {
      attempts++;
      throw new Error("refused");
    });
    await expect(refused).rejects.toThrow("refused");
    expect(attempts).toBe(1);
  });

  it("asks for the time after each pause, and makes no attempt when it is up", async () => {
    let nowMs = 0;
    let attempts = 0;
    const limits = {
      pause: async () => {
        nowMs += 10;
      },
      isOver: () => nowMs >= 25,
      giveUp: refuse,
    };
    const attempt = async () => again(++attempts);
    expect(await retry<unknown>(limits, attempt)).toEqual({ gaveUp: 3 });
    nowMs = 25;
    expect(await retry<unknown>(limits, attempt)).toEqual({ gaveUp: undefined });
  });
});

describe("backOff", () => {
  const random = { bytes: () => new Uint8Array(), fraction: () => 0.5 };

  it("grows exponentially up to its cap, by a share that chance decides", () => {
    const of = (attempt: number) => fullJitterMs(random, attempt, { baseMs: 20, capMs: 100 });
    expect([0, 1, 2, 3, 9].map(of)).toEqual([10, 20, 40, 50, 50]);
  });

  it("sleeps for that long", async () => {
    const slept: number[] = [];
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      sleep: async (ms: number) => {
        slept.push(ms);
      },
    };
    await backOff({ clock, random }, { baseMs: 20, capMs: 100 })(1);
    expect(slept).toEqual([20]);
  });
});

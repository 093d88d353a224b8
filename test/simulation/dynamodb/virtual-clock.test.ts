import { describe, expect, it } from "vitest";
import { seededRandom } from "./seeded-random.ts";
import { createVirtualTime } from "./virtual-clock.ts";

const start = (seed = 1) => createVirtualTime(seededRandom(seed), 1_000_000);

describe("virtual time", () => {
  it("time jumps from step to step, and long chains of promises run in between", async () => {
    const time = start();
    const { clock } = time.process("a");
    const seen: number[] = [];
    const work = async (): Promise<void> => {
      await clock.sleep(86_400_000);
      for (let turn = 0; turn < 1000; turn++) await Promise.resolve();
      seen.push(time.nowMs());
      await clock.sleep(0.5);
      seen.push(time.nowMs());
    };
    await time.finish(work());
    expect(seen).toEqual([87_400_000, 87_400_000.5]);
  });

  it("the seed alone orders ties", async () => {
    const order = async (seed: number): Promise<string> => {
      const time = start(seed);
      let text = "";
      for (const letter of "abcdefgh") time.after(5, () => (text += letter));
      expect(await time.run()).toBe("idle");
      return text;
    };
    expect(await order(1)).toBe(await order(1));
    expect(new Set([await order(1), await order(2), await order(3)]).size).toBeGreaterThan(1);
  });

  it("time stops at a moment, at a condition, or when nothing is left", async () => {
    const time = start();
    time.after(100, () => {});
    time.after(200, () => {});
    expect(await time.run({ untilMs: 1_000_150 })).toBe("time");
    expect(time.nowMs()).toBe(1_000_150);
    expect(await time.run({ until: () => time.nowMs() >= 1_000_200 })).toBe("until");
    expect(await time.run()).toBe("idle");
    expect(time.steps()).toBe(2);
  });

  it("time reports when work is stuck or late, and passes on its failure", async () => {
    const time = start();
    const { clock } = time.process("a");
    await expect(time.finish(new Promise(() => {}))).rejects.toThrow("stuck");
    await expect(time.finish(clock.sleep(500), { withinMs: 100 })).rejects.toThrow("100 ms");
    const failing = clock.sleep(10).then(() => {
      throw new Error("broken");
    });
    await expect(time.finish(failing)).rejects.toThrow("broken");
  });

  it("every process has its own skewed wall clock and monotonic clock", async () => {
    const time = start();
    const ahead = time.process("ahead", { skewMs: 1500 });
    await time.finish(ahead.clock.sleep(250.75));
    const late = time.process("late");
    expect([ahead.clock.now(), ahead.clock.monotonic()]).toEqual([1_001_750, 250.75]);
    expect([late.clock.now(), late.clock.monotonic()]).toEqual([1_000_250, 0]);
    ahead.setSkew(-600_000);
    expect(ahead.clock.now()).toBe(400_250);
    expect(ahead.clock.monotonic()).toBe(250.75);
  });

  it.each([true, false])("a frozen process is held back (monotonic stops: %s)", async (stops) => {
    const time = start();
    const process = time.process("a", { monotonicStops: stops });
    let wokeMs = 0;
    const work = process.clock.sleep(100).then(() => {
      wokeMs = time.nowMs();
    });
    time.after(50, process.freeze);
    time.after(60_050, process.thaw);
    await time.run({ untilMs: 1_030_000 });
    expect([process.state(), wokeMs]).toEqual(["frozen", 0]);
    await time.finish(work);
    expect(wokeMs).toBe(1_060_050);
    expect(process.clock.monotonic()).toBe(stops ? 50 : 60_050);
  });

  it("a promise of a killed process never settles", async () => {
    const time = start();
    const process = time.process("a");
    let woke = false;
    void process.clock.sleep(100).then(() => {
      woke = true;
    });
    process.kill();
    process.thaw();
    expect(await time.run()).toBe("idle");
    expect([woke, process.state()]).toEqual([false, "dead"]);
  });
});

describe("seeded random", () => {
  it("random numbers repeat, fork without interference, and cover their range", () => {
    const [one, two] = [seededRandom("x"), seededRandom("x")];
    two.fork("other").fraction();
    const draws = Array.from({ length: 1000 }, () => one.fraction());
    expect(Array.from({ length: 1000 }, () => two.fraction())).toEqual(draws);
    expect(Math.min(...draws)).toBeLessThan(0.01);
    expect(Math.max(...draws)).toBeGreaterThan(0.99);
    expect(new Set(Array.from({ length: 200 }, () => one.between(3, 6)))).toEqual(
      new Set([3, 4, 5, 6]),
    );
    expect(one.bytes(16)).toHaveLength(16);
    expect(one.shuffle([1, 2, 3]).sort()).toEqual([1, 2, 3]);
    expect([one.chance(0), one.chance(1)]).toEqual([false, true]);
  });
});

import { describe, expect, it } from "vitest";
import type { RawJson } from "../../../packages/core/src/model/event.ts";
import { ASSUMED } from "../../../tools/cost/scenarios.ts";
import { DEPTH } from "../../support/depth.ts";
import { afterMeeting, closedLoop, lambdaToTable, openLoop } from "./log/lambda-shape.ts";
import { simulateLog } from "./log/simulated-log.ts";

const SECONDS = 2;
/** Three of the five rates run in `npm run test:deep` alone. */
const RATES = DEPTH > 1 ? [2, 5, 11, 20, 50] : [5, 50];

/** Time is virtual, so the real duration depends on the load of the machine. */
describe("functions that share nothing but the table", { timeout: 300_000 }, () => {
  it.each([4, 16, 64])("append together as much as one, %d of them, in a fair order", async (n) => {
    const figures = await closedLoop(n, SECONDS);
    console.log(`tickets: ${n} writers`, figures);
    expect(figures.perSecond).toBeGreaterThanOrEqual(150);
    expect(figures.putsPerAppend).toBeLessThanOrEqual(2);
    expect(figures.ticketsPerAppend).toBeLessThanOrEqual(1.1);
    expect(figures.worstP99).toBeLessThan(10 * figures.p50);
    expect(figures.busy).toBe(0);
  });

  it.each([
    { rate: 100, p99Max: 300 },
    { rate: 150, p99Max: 600 },
  ])("answer $rate publishes a second within $p99Max ms, 99 of 100", async ({ rate, p99Max }) => {
    const figures = await openLoop(rate, SECONDS);
    console.log(`tickets: ${rate} a second`, figures);
    expect(figures.p99).toBeLessThanOrEqual(p99Max);
    expect(figures.putsPerAppend).toBeLessThanOrEqual(2);
  });

  it.each(RATES)("write no more at %d a second than docs/cost.md counts", async (rate) => {
    const figures = await openLoop(rate, 1_500 / rate);
    console.log(`tickets: ${rate} a second`, figures);
    const overlaps = rate * (ASSUMED.publishMs / 1_000);
    const counted = 1 + Math.min(1, overlaps * ASSUMED.conflictsPerOverlap);
    expect(figures.putsPerAppend + figures.ticketsPerAppend).toBeLessThanOrEqual(counted);
  });

  it.each([
    { gapMs: 0, ticketsMax: 50 },
    { gapMs: 30, ticketsMax: 4 },
  ])(
    "stop to take tickets when one goes on alone, every $gapMs ms",
    async ({ gapMs, ticketsMax }) => {
      const { tickets, meanPuts } = await afterMeeting(gapMs);
      expect(tickets).toBeLessThanOrEqual(ticketsMax);
      expect(meanPuts).toBe(1);
    },
  );

  it("let one in that comes while another publishes without a pause", async () => {
    const figures = await closedLoop(2, SECONDS, { lateMs: 500 });
    console.log("tickets: one comes late", figures);
    expect(figures.busy).toBe(0);
    expect(figures.worstP99).toBeLessThan(10 * figures.p50);
    expect(figures.leastToMost).toBeGreaterThan(0.4);
  });

  it("pay nothing for tickets while each is alone", async () => {
    const figures = await closedLoop(1, SECONDS);
    expect(figures.putsPerAppend).toBe(1);
    expect(figures.ticketsPerAppend).toBe(0);
    expect(figures.readsPerAppend).toBeLessThan(0.05);
  });

  it("go on without a writer that died with its ticket", async () => {
    const simulated = simulateLog("dead", { latencyMs: lambdaToTable, scanMs: 0, commitMs: 0 });
    const { time } = simulated;
    const writers = Array.from({ length: 6 }, (_, n) => simulated.start(`writer ${n}`));
    if (writers[0] !== undefined) await time.finish(simulated.createStream(writers[0], 1));
    const event = { attributes: { key: "k" }, data: "1" as RawJson };
    const alive = writers.slice(0, 3);
    const until = time.nowMs() + 2_000;
    const latencies: number[] = [];
    const publish = async ({ log, recall }: (typeof writers)[number]) => {
      while (time.nowMs() < until) {
        const sentAt = time.nowMs();
        await log.publish(await recall(), [event]);
        latencies.push(time.nowMs() - sentAt);
      }
    };
    for (const one of writers.slice(3)) {
      void publish(one);
      time.after(500, () => one.process.kill());
    }
    await time.finish(Promise.all(alive.map(publish)));
    expect(Math.max(...latencies)).toBeLessThan(1_000);
    expect(latencies.length).toBeGreaterThan(150);
  });
});

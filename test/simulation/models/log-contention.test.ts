import { describe, expect, it } from "vitest";
import { LedgerError } from "../../../packages/core/src/kernel/error.ts";
import type { RawJson } from "../../../packages/core/src/model/event.ts";
import { DEPTH } from "../../support/depth.ts";
import type { Latency } from "../dynamodb/delivery.ts";
import { type LogProcess, simulateLog } from "./log/simulated-log.ts";

const SECONDS = 4 * DEPTH;
const EVENT = { attributes: { key: "k" }, data: "1" as RawJson };

/** Returns the usual time of one way through the network, which is sometimes slow. */
const usual: Latency = (random) => 2 + random.fraction() * 2 + (random.chance(0.02) ? 20 : 0);
const near: Latency = (random) => 0.5 + random.fraction();

/** Lets every process publish one event after another to the same partition. */
async function contend(writers: number, latencyMs: Latency) {
  const simulated = simulateLog("contention", { latencyMs, scanMs: 0, commitMs: 0 });
  const { time, store } = simulated;
  const processes = Array.from({ length: writers }, (_, n) => simulated.start(`writer ${n}`));
  const [first] = processes;
  if (first === undefined) throw new RangeError("no writer");
  await time.finish(simulated.createStream(first, 1));
  const until = time.nowMs() + SECONDS * 1_000;
  const latencies: number[] = [];
  let busy = 0;
  const publish = async ({ log, recall }: LogProcess): Promise<number> => {
    let count = 0;
    for (let sentAt = time.nowMs(); sentAt < until; sentAt = time.nowMs()) {
      try {
        await log.publish(await recall(), [EVENT]);
        latencies.push(time.nowMs() - sentAt);
        count++;
      } catch (error) {
        if (!(error instanceof LedgerError) || error.code !== "stream-busy") throw error;
        busy++;
      }
    }
    return count;
  };
  const shares = await time.finish(Promise.all(processes.map(publish)));
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * latencies.length)] ?? 0;
  return {
    busy,
    putsPerAppend: store.tally.get("sent.put") / latencies.length,
    p99ToP50: at(0.99) / at(0.5),
    leastToMost: Math.min(...shares) / Math.max(...shares),
    perSecond: latencies.length / SECONDS,
  };
}

/** Time is virtual, so the real duration depends on the load of the machine. */
describe("writers of one partition", { timeout: 300_000 }, () => {
  it.each([
    { writers: 2, where: "far", latencyMs: usual, ratioMax: 20 },
    { writers: 16, where: "far", latencyMs: usual, ratioMax: 10 },
    { writers: 16, where: "near", latencyMs: near, ratioMax: 10 },
  ])("come to a fair share, $writers of them, the store being $where", async (given) => {
    const figures = await contend(given.writers, given.latencyMs);
    console.log(`contention: ${given.writers} ${given.where}`, figures);
    expect(figures.busy).toBe(0);
    expect(figures.putsPerAppend).toBeLessThanOrEqual(2);
    expect(figures.p99ToP50).toBeLessThan(given.ratioMax);
    expect(figures.leastToMost).toBeGreaterThan(0.4);
  });

  it("a single writer pays nothing", async () => {
    const { putsPerAppend, perSecond } = await contend(1, usual);
    expect(putsPerAppend).toBe(1);
    expect(perSecond).toBeGreaterThan(120);
  });
});

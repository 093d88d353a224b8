import { describe, expect, it } from "vitest";
import { HOUR_MS, openArchive } from "./archive-world.ts";

/**
 * Collects what a process reports about the archive, while the bucket works and while it does not
 * answer.
 */
async function openObserved() {
  const lags = new Map<number, { events: number; seconds: number }>();
  const segments: number[] = [];
  const opened = await openArchive({
    partitions: 2,
    observeArchive: {
      segment: (bytes) => void segments.push(bytes),
      lag: ({ partition, events, seconds }) => void lags.set(partition, { events, seconds }),
    },
  });
  const sum = () => [...lags.values()].reduce((total, { events }) => total + events, 0);
  const most = () => Math.max(...[...lags.values()].map(({ seconds }) => seconds));
  return { ...opened, segments, lag: () => [sum(), most()] };
}

describe("the metrics of an archive", () => {
  it("each segment is counted with its bytes, and nothing lags after a sweep", async () => {
    const { publish, pass, segments, bucket, lag } = await openObserved();
    await publish(20);
    await pass(HOUR_MS);
    await publish(20);
    await pass(HOUR_MS);
    const sizes = [...bucket.stored.values()].map(({ body }) => body.length);
    expect(segments.toSorted()).toEqual(sizes.toSorted());
    expect(segments).toHaveLength(4);
    expect(lag()).toEqual([0, 0]);
  });

  it("the lag grows while the bucket does not answer, and is gone after", async () => {
    const { publish, ledger, world, bucket, lag, segments } = await openObserved();
    await publish(10);
    bucket.setFaults(() => ({ "slow-down": 1 }));
    for (const hours of [1, 2, 3]) {
      world.nowMs += HOUR_MS;
      expect((await ledger.sweep()).stuck).toHaveLength(2);
      expect(lag()).toEqual([10, hours * 3_600]);
    }
    bucket.setFaults();
    await ledger.sweep();
    expect(lag()).toEqual([0, 0]);
    expect(segments).toHaveLength(2);
  });

  it("a stream that is no longer archived does not lag", async () => {
    const { publish, ledger, world, bucket, lag, patch } = await openObserved();
    await publish(10);
    bucket.setFaults(() => ({ "slow-down": 1 }));
    world.nowMs += HOUR_MS;
    await ledger.sweep();
    expect(lag()).toEqual([10, 3_600]);
    await patch(null);
    await ledger.sweep();
    expect(lag()).toEqual([0, 0]);
  });
});

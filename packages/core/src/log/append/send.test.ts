import { describe, expect, it } from "vitest";
import { systemClock, takeStamp } from "../../kernel/clock.ts";
import { systemRandom } from "../../kernel/random.ts";
import type { Life } from "../../model/names.ts";
import type { AppendVerdict } from "../../table/append-rows.ts";
import type { AppendPlan } from "./append-plan.ts";
import { send } from "./send.ts";
import type { Waiting } from "./waiting.ts";

const append = { life: "orders#1" as Life, batches: [], receipts: [], token: "" };
const plan: AppendPlan = { append, receipts: [], ends: new Map(), claims: [] };
const MINUTE_MS = 60_000;

/** Sends one request that waits for 5 s. Each put lasts `tookMs` and returns the next verdict. */
function start(verdicts: readonly (AppendVerdict | Error)[], tookMs = 10, random = systemRandom) {
  const time = { nowMs: 0 };
  const pauses: number[] = [];
  const clock = {
    ...systemClock,
    now: () => time.nowMs,
    monotonic: () => time.nowMs,
    sleep: async (ms: number) => {
      pauses.push(ms);
      time.nowMs += ms;
    },
  };
  const settled: unknown[] = [];
  const stamp = takeStamp(clock);
  const target = { life: append.life, partitions: 1, retentionHours: 1, stamp };
  const waiting: Waiting = {
    request: { drafts: [], partitions: [], bytes: 0 },
    target,
    arrivedAt: 0,
    deadline: 5_000,
    settled: false,
    resolve: (appended) => settled.push(appended),
    reject: (error) => settled.push(error),
  };
  const took: number[] = [];
  let puts = 0;
  const put = async (): Promise<AppendVerdict> => {
    time.nowMs += tookMs;
    const verdict = verdicts[Math.min(puts++, verdicts.length - 1)] ?? { kind: "written" };
    if (verdict instanceof Error) throw verdict;
    return verdict;
  };
  const deps = {
    table: { append: { put } },
    clock,
    random,
    onPut: () => {},
    onVerdict: (ms: number) => void took.push(ms),
  };
  const run = () => send(deps, plan, [waiting], [stamp]);
  return { run, time, settled, took, pauses, puts: () => puts };
}

const UNKNOWN: AppendVerdict = { kind: "unknown", cause: new Error("reset") };

describe("sending a plan", () => {
  it("a plan is sent until it has a verdict, and only puts with a verdict are measured", async () => {
    const { run, puts, took } = start([UNKNOWN, UNKNOWN, { kind: "written" }]);
    expect(await run()).toMatchObject({ kind: "written" });
    expect(puts()).toBe(3);
    expect(took).toHaveLength(1);
    expect(took[0]).toBeCloseTo(10);
  });

  it("[publish.unknown] pauses double from 20 ms to 400 ms, and are random below that", async () => {
    const { run, pauses } = start(
      Array.from({ length: 7 }, () => UNKNOWN),
      10,
      {
        ...systemRandom,
        fraction: () => 0.5,
      },
    );
    await run();
    expect(pauses.slice(0, 7)).toEqual([10, 20, 40, 80, 160, 200, 200]);
  });

  it("nothing is sent when the stream's row was read over a minute ago", async () => {
    const { run, time, puts } = start([{ kind: "written" }]);
    time.nowMs = MINUTE_MS + 1;
    await expect(run()).rejects.toMatchObject({ code: "stream-busy" });
    expect(puts()).toBe(0);
  });

  it("a verdict after a minute is not trusted", async () => {
    const { run, settled } = start([{ kind: "written" }], MINUTE_MS + 1);
    expect(await run()).toMatchObject({ kind: "unknown" });
    expect(settled).toMatchObject([{ code: "outcome-unknown" }]);
  });

  it("[publish.unknown] sending stops once no request waits for it", async () => {
    const { run, settled, puts } = start([UNKNOWN], 2_000);
    expect(await run()).toMatchObject({ kind: "unknown" });
    expect(puts()).toBeLessThanOrEqual(3);
    expect(settled).toMatchObject([{ code: "outcome-unknown" }]);
  });

  it("[publish.unknown] a refusal of the first copy is thrown, and a refusal of a later one is no verdict", async () => {
    const refusal = new Error("ValidationException");
    await expect(start([refusal]).run()).rejects.toBe(refusal);
    const { run, settled } = start([UNKNOWN, refusal], 2_000);
    expect(await run()).toMatchObject({ kind: "unknown", cause: refusal });
    expect(settled).toMatchObject([{ code: "outcome-unknown", cause: refusal }]);
  });
});

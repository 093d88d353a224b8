import { describe, expect, it } from "vitest";
import type { FaultPlan, FaultRates } from "../model/fake/faults.ts";
import { isRead } from "../model/fake/operation.ts";
import { findViolations } from "../model/log/find-violations.ts";
import { createHistory } from "../model/log/history.ts";
import { publishAll } from "../model/log/publishers.ts";
import { readAll } from "../model/log/read-all.ts";
import { simulateLog } from "../model/log/simulated-log.ts";

const SEED = process.env.SEED ?? String(Date.now());
const REQUESTS = Number(process.env.REQUESTS ?? 10_000);
const LATE_MS = 6 * 60_000;

/** Every kind by itself, then all of them together. */
const KINDS: Record<string, FaultRates> = {
  "answer lost after the commit": { "timeout-after": 0.1, "reset-after": 0.15 },
  "time-out before the commit": { "timeout-before": 0.15, "reset-before": 0.1 },
  "request that arrives after its time-out": { "timeout-late": 0.2 },
  throttling: { throttle: 0.3 },
  "throttling of a second copy": { "throttle-after": 0.3 },
  TransactionConflict: { conflict: 0.3 },
  "InternalServerError before": { "error-before": 0.3 },
  "InternalServerError after": { "error-after": 0.3 },
  "duplicate send": { twice: 0.4 },
  "all at once": {
    "timeout-after": 0.03,
    "timeout-before": 0.03,
    "timeout-late": 0.03,
    "reset-after": 0.05,
    "reset-before": 0.05,
    throttle: 0.05,
    "throttle-after": 0.05,
    conflict: 0.1,
    "error-before": 0.05,
    "error-after": 0.05,
    twice: 0.1,
  },
};

/** Reads fail a third as often, so that publishing goes on. */
const planOf =
  (rates: FaultRates): FaultPlan =>
  (operation) => {
    if (!isRead(operation)) return rates;
    return Object.fromEntries(Object.entries(rates).map(([fault, rate]) => [fault, rate / 3]));
  };

console.log(`append faults: SEED=${SEED} REQUESTS=${REQUESTS}`);

describe("appending", () => {
  it.each(Object.entries(KINDS))("loses, doubles and reorders nothing: %s", async (kind, rates) => {
    const partitions = 4;
    const simulated = simulateLog(`${SEED}/${kind}`, { faults: () => ({}) });
    const { time, store, random } = simulated;
    const processes = ["a", "b", "c"].map((name) => simulated.start(name));
    const [first] = processes;
    if (first === undefined) throw new RangeError("no process");
    await time.finish(simulated.createStream(first, partitions));
    const history = createHistory();
    store.setFaults(planOf(rates));
    const workload = { publishers: 24, requests: REQUESTS, keyed: 0.3 };
    await time.finish(publishAll(processes, history, random.fork("work"), workload));
    store.setFaults();
    await time.run({ untilMs: time.nowMs() + LATE_MS });
    const log = await time.finish(readAll(simulated.start("reader"), random.fork("reader")));
    const violations = findViolations(log, history, partitions);
    const faults = Object.entries(store.tally.all()).filter(([name]) => name.startsWith("fault."));
    console.log(kind, {
      requests: history.requests.length,
      events: log.length,
      acknowledged: history.count("acknowledged"),
      replayed: history.count("replayed"),
      rejected: history.count("rejected"),
      unknown: history.count("unknown"),
      ...Object.fromEntries(faults),
      puts: store.tally.get("sent.put"),
      transactions: store.tally.get("sent.transactWrite"),
    });
    expect(violations.slice(0, 20)).toEqual([]);
    expect(store.refusals).toEqual([]);
    for (const fault of Object.keys(rates))
      expect(store.tally.get(`fault.${fault}`)).toBeGreaterThan(0);
  });
});

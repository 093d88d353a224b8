import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../packages/core/src/kernel/clock.ts";
import { systemRandom } from "../../../packages/core/src/kernel/random.ts";
import { createLog } from "../../../packages/core/src/log/log.ts";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import { createStreams } from "../../../packages/core/src/stream/streams.ts";
import { createTable } from "../../../packages/core/src/table/table.ts";
import { localAws } from "../../../packages/local/src/local-aws.ts";
import type { FaultPlan, FaultRates } from "../../simulation/dynamodb/faults.ts";
import { isRead } from "../../simulation/dynamodb/operation.ts";
import { seededRandom } from "../../simulation/dynamodb/seeded-random.ts";
import { findViolations } from "../../simulation/models/log/find-violations.ts";
import { createHistory, type History } from "../../simulation/models/log/history.ts";
import { publishAll } from "../../simulation/models/log/publishers.ts";
import { readAll } from "../../simulation/models/log/read-all.ts";
import { simulateLog } from "../../simulation/models/log/simulated-log.ts";
import { DEPTH } from "../../support/depth.ts";
import { disturb, isClientFault } from "../../support/faulty-client.ts";
import { keepRecord } from "../../support/keep-record.ts";
import { SEED } from "../../support/seed.ts";
import { createTestTable } from "../../support/test-table.ts";
import { type FaultCounts, sayAppends } from "./say-appends.ts";

/**
 * Usually a small share runs. REQUESTS=10000 runs everything, for every kind of fault in both
 * stores.
 */
const asked = process.env.REQUESTS;
const REQUESTS = Number(asked ?? 250 * DEPTH);
const LOCAL_REQUESTS = Number(asked ?? 50 * DEPTH);
/** The time that `npm run test:nightly` allows for the slower of the stores. */
const TIMEOUT_MS = 60_000 + REQUESTS * 100;
const LATE_MS = 6 * 60_000;

const ALL = "all at once";

/** Every kind of fault alone, then all of them together. */
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
  [ALL]: {
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

/** Reads fail a third as often, so that publishing makes progress. */
const planOf =
  (rates: FaultRates): FaultPlan =>
  (operation) => {
    if (!isRead(operation)) return rates;
    return Object.fromEntries(Object.entries(rates).map(([fault, rate]) => [fault, rate / 3]));
  };

/**
 * A client cannot make a request arrive late. All other faults are also possible on DynamoDB Local.
 */
const LOCAL_KINDS = Object.entries(KINDS).filter(([kind, rates]) =>
  asked === undefined ? kind === ALL : Object.keys(rates).some(isClientFault),
);

console.log(`append faults: SEED=${SEED} REQUESTS=${REQUESTS}`);
/** The results by kind of fault, under the name of their record. */
const played: Record<string, FaultCounts[]> = { "append-faults": [], "append-faults-local": [] };
afterAll(() => {
  for (const [name, kinds] of Object.entries(played)) {
    if (kinds.length === 0) continue;
    keepRecord(name, sayAppends(name, kinds), { seed: SEED, requests: REQUESTS, kinds });
  }
});

describe("appending", { timeout: TIMEOUT_MS }, () => {
  it.each(Object.entries(KINDS))(
    "appending loses, duplicates and reorders nothing: %s",
    async (kind, rates) => {
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
      const faults = Object.entries(store.tally.all()).filter(([name]) =>
        name.startsWith("fault."),
      );
      const counts = {
        kind,
        violations: violations.length,
        events: log.length,
        ...summarize(history),
        ...Object.fromEntries(faults),
        puts: store.tally.get("sent.put"),
        transactions: store.tally.get("sent.transactWrite"),
      };
      console.log(counts);
      played["append-faults"]?.push(counts);
      expect(violations.slice(0, 20)).toEqual([]);
      expect(store.refusals).toEqual([]);
      for (const fault of Object.keys(rates))
        expect(store.tally.get(`fault.${fault}`)).toBeGreaterThan(0);
    },
  );
});

describe("appending to DynamoDB Local", { timeout: TIMEOUT_MS }, () => {
  it.each(LOCAL_KINDS)(
    "appending loses, duplicates and reorders nothing: %s",
    async (kind, rates) => {
      const partitions = 4;
      const random = seededRandom(`${SEED}/local/${kind}`);
      const { endpoint, tableName } = await createTestTable();
      const clients = Array.from({ length: 4 }, () => {
        return new DynamoDBClient({ ...localAws(endpoint), maxAttempts: 1 });
      });
      const processes = clients.map((client) => openLog(client, tableName));
      const [owner, ...publishers] = processes;
      if (owner === undefined) throw new RangeError("no process");
      await owner.streams.create(defaultTenant, { ...STREAM, partitions });
      const faults = clients
        .slice(1)
        .map((client, n) => disturb(client, random.fork(`${n}`), rates));
      const history = createHistory();
      const workload = { publishers: 12, requests: LOCAL_REQUESTS, keyed: 0.3 };
      await publishAll(publishers, history, random.fork("work"), workload);
      const log = await readAll(owner, random.fork("reader"));
      const violations = findViolations(log, history, partitions);
      const counts = {
        kind,
        violations: violations.length,
        events: log.length,
        ...summarize(history),
        ...countFaults(faults),
      };
      console.log("DynamoDB Local", counts);
      played["append-faults-local"]?.push(counts);
      expect(violations.slice(0, 20)).toEqual([]);
      for (const client of clients) client.destroy();
    },
  );
});

/** Adds up the faults of all clients, under the names of the simulated store. */
function countFaults(faults: readonly ReadonlyMap<string, number>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [fault, count] of faults.flatMap((each) => [...each])) {
    counts[`fault.${fault}`] = (counts[`fault.${fault}`] ?? 0) + count;
  }
  return counts;
}

const STREAM = {
  name: "orders",
  description: "",
  compaction: "key",
  retentionHours: 360,
  archiveDays: null,
} as const;

function openLog(client: DynamoDBClient, tableName: string) {
  const deps = { clock: systemClock, random: systemRandom };
  const table = createTable({ client, table: tableName, ...deps });
  const log = createLog({ table, ...deps });
  const { seal: sealPartition, bringOn, assertMayTurn } = log;
  const streams = createStreams({ table, ...deps, sealPartition, bringOn, assertMayTurn });
  const recall = () => streams.use(defaultTenant, STREAM.name, async (stream) => stream);
  return { log, streams, recall, load: recall };
}

const summarize = (history: History) => ({
  requests: history.requests.length,
  acknowledged: history.count("acknowledged"),
  replayed: history.count("replayed"),
  rejected: history.count("rejected"),
  unknown: history.count("unknown"),
});

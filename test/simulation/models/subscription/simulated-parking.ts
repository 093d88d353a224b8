import * as fc from "fast-check";
import {
  createLedger,
  defaultTenant,
  type Ledger,
  LedgerError,
  type RawJson,
  type StoredEvent,
} from "../../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../../dynamodb/fake-dynamodb.ts";
import type { FaultRates } from "../../dynamodb/faults.ts";
import { type SeededRandom, seededRandom } from "../../dynamodb/seeded-random.ts";
import { createVirtualTime } from "../../dynamodb/virtual-clock.ts";

const RATES: FaultRates = { "timeout-late": 0.01, "error-after": 0.04, "error-before": 0.04 };
const OF = [defaultTenant, "orders"] as const;
const SUB = "s";
const PASSING = ["outcome-unknown", "store-unavailable", "stream-busy", "lease-lost"];

export type ParkingPlan = {
  readonly seed: number;
  readonly partitions: number;
  readonly servers: number;
  readonly faulty: boolean;
  readonly freezing: boolean;
  readonly maxDeliveries: number | undefined;
  readonly consumer: string | undefined;
  readonly ahead: boolean;
};

export const anyParkingPlan: fc.Arbitrary<ParkingPlan> = fc.record({
  seed: fc.nat(),
  partitions: fc.constantFrom(1, 3),
  servers: fc.integer({ min: 1, max: 3 }),
  faulty: fc.boolean(),
  freezing: fc.boolean(),
  maxDeliveries: fc.constantFrom(undefined, undefined, 2, 3),
  consumer: fc.constantFrom(undefined, "w"),
  ahead: fc.boolean(),
});

/**
 * Simulates a consumer whose events sometimes fail, on the real ledger over a fake table. It parks
 * failing events, while an operator retries and skips them. Whatever the store, the servers and the
 * consumer do, no event is processed before the earlier ones of its key. In the end all events are
 * processed except the skipped ones.
 */
export async function simulateParking(plan: ParkingPlan) {
  const random = seededRandom(plan.seed);
  const time = createVirtualTime(random.fork("time"));
  const store = createFakeDynamo({
    tableName: "parking",
    seed: plan.seed,
    time,
    timeoutMs: 1_000,
    latencyMs: (chance) => 1 + chance.fraction() * 8,
    commitMs: 4,
    scanMs: 4,
  });
  const servers = Array.from({ length: plan.servers }, (_, n) => {
    const process = time.process(`server ${n}`);
    const client = store.client(process) as never;
    const deps = {
      client,
      tableName: "parking",
      clock: process.clock,
      random: random.fork(`server ${n}`),
      cursorKeys: [{ id: 1, secret: Buffer.from("model") }],
    };
    return { process, ledger: createLedger(deps) };
  });
  const { clock } = time.process("driver");
  const pick = (chance: SeededRandom): Ledger => chance.pick(servers).ledger;
  const happened = { parked: 0, retried: 0, skipped: 0, crashes: 0 };
  const violations: string[] = [];
  /** The published events by key, in the order of the log. */
  const log = new Map<string, number[]>();
  const processed = new Set<number>();
  const skipped = new Set<number>();
  let over = false;
  /**
   * How many consecutive reads found nothing parked, and how many consecutive polls had nothing to
   * deliver.
   */
  let calm = 0;
  let idle = 0;
  const isDone = () => over && idle > 15 && calm > 5;

  /** Repeats a request until its outcome is known. Returns undefined when the server refuses it. */
  async function ask<T>(make: () => Promise<T>, refusals: readonly string[]) {
    for (;;) {
      try {
        return await make();
      } catch (error) {
        const code = error instanceof LedgerError ? error.code : undefined;
        if (code === undefined) throw error;
        if (refusals.includes(code)) return undefined;
        if (!PASSING.includes(code)) throw error;
        if (code === "lease-lost") return undefined;
        await clock.sleep(20);
      }
    }
  }

  async function publish(chance: SeededRandom): Promise<void> {
    let number = 0;
    for (let n = 0; n < 25; n++) {
      const events = Array.from({ length: chance.between(1, 4) }, () => ({
        attributes: { key: `k${chance.between(0, 4)}` },
        data: String(number++) as RawJson,
      }));
      await ask(() => pick(chance).publish(...OF, events, { idempotencyKey: `request-${n}` }), []);
      for (const { attributes, data } of events) {
        log.set(attributes.key, [...(log.get(attributes.key) ?? []), Number(data)]);
      }
      await clock.sleep(chance.fraction() * 200);
    }
  }

  /** Returns whether the event could be processed. */
  function process({ key, data }: StoredEvent, chance: SeededRandom): boolean {
    const number = Number(data);
    if (processed.has(number)) return true;
    if (!over && chance.chance(0.15)) return false;
    const ofKey = log.get(key) ?? [];
    const earlier = ofKey.slice(0, ofKey.indexOf(number));
    const missing = earlier.filter((each) => !processed.has(each) && !skipped.has(each));
    if (missing.length > 0) violations.push(`${number} of ${key} before ${missing}`);
    processed.add(number);
    return true;
  }

  async function consume(chance: SeededRandom): Promise<void> {
    let after: string | undefined;
    let ledger = pick(chance);
    while (!isDone()) {
      if (chance.chance(0.1)) ledger = pick(chance);
      const limit = chance.between(1, 8);
      const waitSeconds = chance.chance(0.2) ? 1 : 0;
      const request = { limit, after, waitSeconds, consumer: plan.consumer };
      const page = await ask(() => ledger.poll(...OF, SUB, request), []);
      if (page === undefined) continue;
      idle = page.events.length === 0 ? idle + 1 : 0;
      const failed = new Map<string, number>();
      for (const event of page.events) {
        if (failed.has(event.key) || process(event, chance)) continue;
        failed.set(event.key, event.sequence);
      }
      const crashes = plan.maxDeliveries !== undefined ? failed.size > 0 : chance.chance(0.05);
      if (crashes) {
        happened.crashes++;
        after = undefined;
        await clock.sleep(20);
        continue;
      }
      for (const [key, sequence] of failed) {
        await ask(() => ledger.park(...OF, SUB, { sequence, key, reason: "" }), []);
        happened.parked++;
      }
      const { cursor } = page;
      if (plan.ahead && chance.chance(0.6)) after = cursor;
      else {
        await ask(() => ledger.commit(...OF, SUB, cursor), []);
        after = plan.ahead && chance.chance(0.5) ? cursor : undefined;
      }
      await clock.sleep(page.events.length === 0 ? 300 : 10);
    }
  }

  async function operate(chance: SeededRandom): Promise<void> {
    while (!isDone()) {
      await clock.sleep(chance.fraction() * 600);
      const ledger = pick(chance);
      const list = await ask(() => ledger.listParked(...OF, SUB, { limit: 50 }), []);
      const waiting = (list?.parked ?? []).filter(({ status }) => status === "parked");
      calm = waiting.length === 0 ? calm + 1 : 0;
      const target = waiting[chance.between(0, Math.max(0, waiting.length - 1))];
      if (target === undefined) continue;
      // The process that reads the log may be frozen. Then it is unknown which event would be
      // skipped.
      const number = numberOf(target);
      const how = !over && number !== undefined && chance.chance(0.3) ? "skip" : "retry";
      // A skip whose answer was lost may have been executed, and must not be repeated.
      if (how === "skip" && number !== undefined) skipped.add(number);
      const refusals = ["parked-key-not-found", "not-parkable"];
      const sequence = how === "skip" ? target.sequence : undefined;
      await ask(() => ledger.release(...OF, SUB, { key: target.key, how, sequence }), refusals);
      happened[how === "skip" ? "skipped" : "retried"]++;
    }
  }

  function numberOf({ sequence, key }: { sequence: number; key: string }): number | undefined {
    return sequences.get(`${key} ${sequence}`);
  }

  const sequences = new Map<string, number>();
  /** Reads the log directly, to learn the sequence of each number. */
  async function observe(): Promise<void> {
    for (let from = "earliest"; !over; ) {
      const read = () => servers[0]?.ledger.browse(...OF, { from, limit: 1_000 });
      const page = await ask(async () => read(), []);
      for (const { key, sequence, data } of page?.events ?? []) {
        sequences.set(`${key} ${sequence}`, Number(data));
      }
      from = page?.cursor ?? from;
      await clock.sleep(50);
    }
  }

  async function freeze(chance: SeededRandom): Promise<void> {
    while (!over) {
      await clock.sleep(chance.fraction() * 3_000);
      const { process: server } = chance.pick(servers);
      server.freeze();
      time.after(chance.fraction() * 4_000, () => server.thaw());
    }
  }

  const [first] = servers;
  if (first === undefined) throw new Error("a world has a server");
  const settings = { description: "", retentionHours: 360, archiveDays: null };
  const begin = async () => {
    await first.ledger.createStream(defaultTenant, {
      name: "orders",
      partitions: plan.partitions,
      compaction: "none",
      ...settings,
    });
    const { maxDeliveries } = plan;
    await first.ledger.createSubscription(...OF, {
      name: SUB,
      start: "earliest",
      leaseSeconds: 5,
      ...(maxDeliveries === undefined ? {} : { maxDeliveries }),
    });
  };
  await time.finish(begin());
  if (plan.faulty) store.setFaults(() => RATES);
  const running = [
    consume(random.fork("consumer")),
    operate(random.fork("operator")),
    observe(),
    ...(plan.freezing ? [freeze(random.fork("freeze"))] : []),
  ];
  const publishing = publish(random.fork("publisher")).then(async () => {
    await clock.sleep(3_000);
    over = true;
    store.setFaults();
    for (const { process: server } of servers) server.thaw();
  });
  await time.finish(Promise.all([publishing, ...running]));
  for (const refusal of store.refusals) violations.push(JSON.stringify(refusal));
  const left = [...log.values()]
    .flat()
    .filter((number) => !processed.has(number) && !skipped.has(number));
  for (const number of left) violations.push(`${number} is never processed`);
  return { violations, happened };
}

const STORY_SEED = 7;
const STORY_RUNS = 60;

/** A parking change happens just when another process commits. Few random plans reach this. */
const COMMIT_MEANWHILE: ParkingPlan = {
  seed: 26,
  partitions: 1,
  servers: 3,
  faulty: true,
  freezing: false,
  ahead: true,
  maxDeliveries: undefined,
  consumer: undefined,
};

/** Plays fixed plans. Returns the violations. */
export async function playParkingPlans(): Promise<{ name: string; detail: string }[]> {
  const drawn = fc.sample(anyParkingPlan, { seed: STORY_SEED, numRuns: STORY_RUNS });
  for (const plan of [COMMIT_MEANWHILE, ...drawn]) {
    try {
      const { violations } = await simulateParking(plan);
      if (violations[0] !== undefined) return [{ name: "parking", detail: violations[0] }];
    } catch (error) {
      return [{ name: "parking", detail: String(error) }];
    }
  }
  return [];
}

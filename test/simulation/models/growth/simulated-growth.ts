import {
  createLedger,
  defaultTenant,
  type Ledger,
  LedgerError,
  type RawJson,
} from "../../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../../dynamodb/fake-dynamodb.ts";
import type { FaultRates } from "../../dynamodb/faults.ts";
import { type SeededRandom, seededRandom } from "../../dynamodb/seeded-random.ts";
import { createVirtualTime, type VirtualProcess } from "../../dynamodb/virtual-clock.ts";

const TABLE = "growing";
const OF = [defaultTenant, "orders"] as const;
const RATES: FaultRates = { "timeout-late": 0.01, "error-after": 0.03, "error-before": 0.03 };

export type GrowthPlan = {
  readonly seed: number;
  /** The numbers of partitions, one after the other. */
  readonly sizes: readonly number[];
  readonly requests: number;
  readonly keys: number;
  readonly readers: number;
  readonly workers: number;
  readonly bootstraps: number;
  /** How often a worker fails to process an event, and parks its key. */
  readonly failing: number;
  readonly isFaulty: boolean;
  readonly kills: number;
};

type Process = { process: VirtualProcess; ledger: Ledger };
type Event = { readonly key: string; readonly n: number };
type Seen = Event & { readonly sequence: number };

/** The result of a run: the faults that it found, and how much it did. */
export type Growth = {
  readonly wrong: string[];
  readonly published: number;
  readonly delivered: number;
  readonly resized: number;
  readonly slowestMs: number;
};

/**
 * Runs the real ledger while its stream changes its partitions again and again. Each publisher
 * sends events of one key, one after the other, and repeats unanswered requests with the same
 * Idempotency-Key. So the order and the number of each event are known.
 */
export async function simulateGrowth(plan: GrowthPlan): Promise<Growth> {
  const random = seededRandom(plan.seed);
  const time = createVirtualTime(random.fork("time"));
  const store = createFakeDynamo({
    tableName: TABLE,
    seed: plan.seed,
    time,
    timeoutMs: 1_000,
    latencyMs: (chance) => 1 + chance.fraction() * 8,
    commitMs: 4,
    scanMs: 4,
  });
  const wrong: string[] = [];
  const acked = new Map<string, Seen[]>();
  let started = 0;
  let open = 0;
  let delivered = 0;
  let resized = 0;
  let slowestMs = 0;
  let isPublished = false;
  const isCalm = () => isPublished && resized === plan.sizes.length - 1;
  const sleep = (ms: number) => new Promise<void>((resolve) => time.after(ms, () => resolve()));

  const start = (): Process => {
    const process = time.process(`process ${++started}`);
    const ledger = createLedger({
      client: store.client(process) as never,
      tableName: TABLE,
      clock: process.clock,
      random: random.fork(`process ${started}`),
      cursorKeys: [{ id: 1, secret: Buffer.from("growth") }],
    });
    return { process, ledger };
  };
  const processes = [start(), start(), start()];

  /**
   * Sends a request to a process. Undefined when there is no answer, or it refuses with an allowed
   * code.
   */
  async function ask<T>(
    chance: SeededRandom,
    run: (ledger: Ledger) => Promise<T>,
    may: readonly string[] = [],
  ): Promise<T | undefined> {
    const { process, ledger } = chance.pick(processes);
    if (process.state() === "dead") return undefined;
    return new Promise((resolve) => {
      time.after(8_000, () => resolve(undefined));
      run(ledger).then(resolve, (error: unknown) => {
        const code = error instanceof LedgerError ? error.code : "";
        if (![...ALWAYS, ...may].includes(code)) wrong.push(String((error as Error).stack));
        resolve(undefined);
      });
    });
  }

  async function publish(key: string): Promise<void> {
    const chance = random.fork(`publisher ${key}`);
    const mine: Seen[] = [];
    acked.set(key, mine);
    for (let n = 0; n < plan.requests; n++) {
      await sleep(chance.fraction() * 120);
      const others = chance.chance(0.2) ? [`${key}+`] : [];
      const events = [key, ...others].map((each) => ({
        attributes: { key: each },
        data: JSON.stringify({ key: each, n }) as RawJson,
      }));
      const idempotencyKey = `${key}-${n}`;
      const began = time.nowMs();
      let receipts: string | undefined;
      for (let copies = 0; copies < 2; ) {
        const done = await ask(chance, (ledger) =>
          ledger.publish(...OF, events, { idempotencyKey }),
        );
        if (done === undefined) {
          await sleep(chance.fraction() * 50);
          continue;
        }
        if (!plan.isFaulty && plan.kills === 0) {
          slowestMs = Math.max(slowestMs, time.nowMs() - began);
        }
        const text = JSON.stringify(done.events);
        if (receipts !== undefined && receipts !== text) wrong.push(`${text} is not ${receipts}`);
        if (receipts === undefined) {
          mine.push({ key, n, sequence: done.events[0]?.sequence ?? 0 });
        }
        receipts = text;
        copies += chance.chance(0.3) ? 1 : 2;
        if (copies < 2) await sleep(chance.fraction() * 800);
      }
    }
    const sequences = mine.map(({ sequence }) => sequence);
    if (sequences.some((each, at) => at > 0 && each <= (sequences[at - 1] ?? 0))) {
      wrong.push(`the sequences of ${key} do not rise: ${sequences.join()}`);
    }
  }

  const parse = ({ sequence, data }: { sequence: number; data: RawJson }): Seen => ({
    ...(JSON.parse(data) as Event),
    sequence,
  });

  /** Records an event for a reader. It must be the next one of its key, or a repetition. */
  function note(who: string, seen: Map<string, number>, { key, n }: Event, again: boolean): void {
    delivered++;
    if (key.endsWith("+")) return;
    const last = seen.get(key) ?? -1;
    if (n === last + 1) seen.set(key, n);
    else if (!again || n > last) wrong.push(`${who} gets ${key} ${n} after ${last}`);
    else seen.set(key, n);
  }

  function assertAll(who: string, seen: ReadonlyMap<string, number>): void {
    for (const key of acked.keys()) {
      const last = seen.get(key) ?? -1;
      if (last !== plan.requests - 1) wrong.push(`${who} ends with ${key} ${last}`);
    }
  }

  /** Reads the stream without a subscription, with all keys or one. */
  async function browse(name: string): Promise<void> {
    const chance = random.fork(name);
    const seen = new Map<string, number>();
    let from = "earliest";
    for (;;) {
      await sleep(chance.fraction() * 200);
      const wasCalm = isCalm();
      const limit = chance.pick([1, 3, 100]);
      const waitSeconds = chance.pick([0, 0, 2]);
      const page = await ask(chance, (ledger) =>
        ledger.browse(...OF, { from, limit, waitSeconds }),
      );
      if (page === undefined) continue;
      for (const event of page.events) note(name, seen, parse(event), false);
      from = page.cursor;
      if (wasCalm && page.caughtUp && page.events.length === 0) break;
    }
    assertAll(name, seen);
    for (const key of acked.keys()) {
      const page = await askUntil(chance, (ledger) => ledger.browse(...OF, { key, limit: 1_000 }));
      const found = page.events.map((event) => parse(event).n).join();
      const wanted = Array.from({ length: plan.requests }, (_, n) => n).join();
      if (found !== wanted) wrong.push(`the history of ${key} is ${found}`);
      const back = await askUntil(chance, (ledger) =>
        ledger.browse(...OF, { key, order: "desc", limit: 1_000 }),
      );
      const backwards = back.events
        .map((event) => parse(event).n)
        .toReversed()
        .join();
      if (backwards !== wanted) wrong.push(`the history of ${key} backward is ${backwards}`);
    }
  }

  async function askUntil<T>(chance: SeededRandom, run: (ledger: Ledger) => Promise<T>) {
    for (;;) {
      const answer = await ask(chance, run);
      if (answer !== undefined) return answer;
      await sleep(100);
    }
  }

  /** Follows with a subscription, from a snapshot or from the beginning, alone. */
  async function follow(name: string, from: "earliest" | "bootstrap"): Promise<void> {
    const chance = random.fork(name);
    await sleep(chance.fraction() * 3_000);
    await askUntil(chance, (ledger) => ledger.createSubscription(...OF, { name, start: from }));
    let seen = new Map<string, number>();
    let committed = new Map<string, number>();
    let after: string | undefined;
    let isFresh = from === "bootstrap";
    let isCommittedFresh = isFresh;
    for (;;) {
      await sleep(chance.fraction() * 200);
      const wasCalm = isCalm();
      const limit = chance.pick([1, 3, 100]);
      const page = await ask(chance, (ledger) =>
        ledger.poll(...OF, name, { limit, after, waitSeconds: chance.pick([0, 0, 1]) }),
      );
      if (page === undefined) continue;
      for (const event of page.events.map(parse)) {
        if (page.phase === "bootstrap") {
          if (!event.key.endsWith("+")) {
            const last = seen.get(event.key) ?? -1;
            if (event.n < last) wrong.push(`${name} gets the state ${event.n} after ${last}`);
            seen.set(event.key, event.n);
          }
        } else if (isFresh && !seen.has(event.key)) {
          if (!event.key.endsWith("+")) seen.set(event.key, event.n);
        } else note(name, seen, event, true);
      }
      after = page.cursor;
      const fate = chance.fraction();
      if (fate < 0.7) {
        const upTo = new Map(seen);
        const done = await ask(chance, (ledger) => ledger.commit(...OF, name, page.cursor), [
          "lease-lost",
        ]);
        if (done !== undefined) {
          committed = upTo;
          isCommittedFresh = isFresh && !page.consistent;
          if (chance.chance(0.5)) after = undefined;
        } else after = page.cursor;
      } else if (fate > 0.95 && !isFresh && !isCommittedFresh) {
        // The reader crashes, and starts again from what is committed.
        seen = new Map(committed);
        after = undefined;
      }
      if (page.consistent) isFresh = false;
      if (wasCalm && page.caughtUp && page.events.length === 0) break;
    }
    assertAll(name, seen);
  }

  /** Works with others on a subscription. Each event is processed once the ones before it are. */
  async function work(team: string, name: string, done: Map<string, number>): Promise<void> {
    const chance = random.fork(`${team} ${name}`);
    const config = { name: team, start: "earliest", leaseSeconds: 3 } as const;
    await askUntil(chance, (ledger) => ledger.createSubscription(...OF, config));
    for (let idle = 0; idle < 40; ) {
      await sleep(chance.fraction() * 150);
      const page = await ask(chance, (ledger) =>
        ledger.poll(...OF, team, { limit: chance.pick([2, 20]), consumer: name }),
      );
      if (page === undefined) continue;
      const failed = new Set<string>();
      for (const event of page.events.map(parse)) {
        if (failed.has(event.key) || event.key.endsWith("+")) continue;
        if (chance.chance(plan.failing)) {
          failed.add(event.key);
          const parked = await ask(
            chance,
            (ledger) =>
              ledger.park(...OF, team, { sequence: event.sequence, key: event.key, reason: "no" }),
            ["not-parkable", "lease-lost", "outcome-unknown", "invalid-request"],
          );
          if (parked === undefined) failed.add("*");
          continue;
        }
        const last = done.get(event.key) ?? -1;
        if (event.n > last + 1)
          wrong.push(`${name} processes ${event.key} ${event.n} after ${last}`);
        done.set(event.key, Math.max(last, event.n));
        delivered++;
      }
      // Events that could not be parked are delivered again.
      if (!failed.has("*")) {
        await ask(chance, (ledger) => ledger.commit(...OF, team, page.cursor), ["lease-lost"]);
      }
      if (chance.chance(0.2) || isCalm()) await releaseAll(chance, team);
      const isThrough = [...acked.keys()].every((key) => done.get(key) === plan.requests - 1);
      if (isThrough && isCalm()) return;
      idle = isCalm() && page.events.length === 0 ? idle + 1 : 0;
    }
    wrong.push(`${team} ends with ${JSON.stringify([...done])}`);
  }

  async function releaseAll(chance: SeededRandom, team: string): Promise<void> {
    const listed = await ask(chance, (ledger) => ledger.listParked(...OF, team, { limit: 100 }));
    for (const { key, status } of listed?.parked ?? []) {
      if (status !== "parked") continue;
      await ask(chance, (ledger) => ledger.release(...OF, team, { key, how: "retry" }), [
        "parked-key-not-found",
        "not-parkable",
      ]);
    }
  }

  async function resize(): Promise<void> {
    const chance = random.fork("resize");
    for (const partitions of plan.sizes.slice(1)) {
      await sleep(500 + chance.fraction() * 1_500);
      await askUntil(chance, (ledger) => ledger.patchStream(...OF, { partitions }));
      resized++;
    }
  }

  async function compact(): Promise<void> {
    const chance = random.fork("compact");
    for (;;) {
      await sleep(chance.fraction() * 1_000);
      if (open === 0) return;
      await ask(chance, (ledger) => ledger.compact(...OF, { budgetMs: 1_000 }), ["internal"]);
    }
  }

  async function kill(): Promise<void> {
    const chance = random.fork("kill");
    for (let done = 0; done < plan.kills; done++) {
      await sleep(chance.fraction() * 2_500);
      const at = chance.between(0, processes.length - 1);
      processes[at]?.process.kill();
      await sleep(chance.pick([0, 500]));
      processes[at] = start();
    }
  }

  const run = async (task: Promise<void>): Promise<void> => {
    open++;
    await task.catch((error: unknown) => wrong.push(String((error as Error).stack)));
    open--;
  };
  const names = (count: number, name: string) =>
    Array.from({ length: count }, (_, n) => `${name}${n}`);

  async function play(): Promise<void> {
    const first = random.fork("first");
    await askUntil(first, (ledger) =>
      ledger.createStream(defaultTenant, {
        name: "orders",
        description: "",
        partitions: plan.sizes[0] ?? 1,
        compaction: "key",
        retentionHours: 360,
        archiveDays: null,
      }),
    );
    if (plan.isFaulty) store.setFaults(() => RATES);
    const publishing = Promise.all(names(plan.keys, "key-").map((key) => run(publish(key)))).then(
      () => {
        isPublished = true;
      },
    );
    const done = new Map<string, number>();
    void compact();
    await Promise.all([
      publishing,
      run(resize()),
      run(kill()),
      ...names(plan.readers, "reader ").map((name) => run(browse(name))),
      ...names(plan.readers, "follower-").map((name) => run(follow(name, "earliest"))),
      ...names(plan.bootstraps, "bootstrap-").map((name) => run(follow(name, "bootstrap"))),
      ...names(plan.workers, "worker-").map((name) => run(work("team", name, done))),
    ]);
  }

  let isOver = false;
  const playing = play().then(() => {
    isOver = true;
  });
  const why = await time.run({ until: () => isOver, untilMs: time.nowMs() + 600_000 });
  if (!isOver) wrong.push(`it does not end: ${why}`);
  else await playing;
  const published = [...acked.values()].reduce((sum, { length }) => sum + length, 0);
  return { wrong, published, delivered, resized, slowestMs };
}

const ALWAYS = [
  "outcome-unknown",
  "stream-busy",
  "store-unavailable",
  "too-many-requests",
  "idempotency-in-progress",
];

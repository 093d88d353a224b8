import { type CursorContent, createCursors } from "../../../../packages/core/src/cursor/cursor.ts";
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

const TABLE = "simulated";
const CURSOR_KEY = { id: 1, secret: Buffer.from("model") };
export const OF = [defaultTenant, "orders"] as const;
export const SUB = "s";
export const LEASE_SECONDS = 3;

const RATES: FaultRates = { "timeout-late": 0.01, "error-after": 0.03, "error-before": 0.03 };

/** One process that serves the API. */
export type Server = { readonly process: VirtualProcess; readonly ledger: Ledger };

/** A commit that was answered, with its time in ticks of the history. */
export type CommitCall = {
  readonly life: number;
  readonly cursor: CursorContent;
  readonly sentAt: number;
  readonly endedAt: number;
  readonly outcome: "moved" | "stale" | "refused" | "unknown";
};

export type Plan = {
  readonly seed: number;
  readonly partitions: number;
  readonly workers: number;
  readonly servers: number;
  readonly faulty: boolean;
  readonly freezing: boolean;
  readonly seeking: boolean;
  readonly recreating: boolean;
  /** The maximum difference of the servers' clocks from true time, except for the first server. */
  readonly skewMs: number;
};

/** Everything that happened in a run. Each event is recorded with the life it was published in. */
export type Happened = {
  readonly published: { life: number; name: string }[];
  readonly delivered: { life: number; names: readonly string[] }[];
  readonly commits: CommitCall[];
  readonly unexpected: string[];
  /** The subscription's lives by uid, and when each began. */
  readonly lives: { uid: string; beganAt: number }[];
};

/**
 * Simulates the real ledger on a fake table in virtual time: workers that poll, commit late, pause,
 * crash and leave; servers that freeze; seeks; and subscriptions that are deleted and recreated.
 */
export function simulateWorkers(plan: Plan) {
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
  const happened: Happened = {
    published: [],
    delivered: [],
    commits: [],
    unexpected: [],
    lives: [],
  };
  const cursors = createCursors([CURSOR_KEY]);
  let tick = 0;
  const servers = Array.from({ length: plan.servers }, (_, n): Server => {
    const chance = random.fork(`server ${n}`);
    const skewMs = n === 0 ? 0 : random.fork(`clock ${n}`).pick([-1, 0, 1]) * plan.skewMs;
    const process = time.process(`server ${n}`, { skewMs });
    const client = store.client(process) as never;
    const { clock } = process;
    const deps = { client, tableName: TABLE, clock, random: chance, cursorKeys: [CURSOR_KEY] };
    return { process, ledger: createLedger(deps) };
  });
  const driver = time.process("driver");

  /** Returns the life of the subscription that a cursor belongs to, counted from 1. */
  const lifeOf = (cursor: string): number =>
    happened.lives.findIndex(({ uid }) => uid === cursors.parse(cursor).subscription?.uid) + 1;

  /** Runs a request. Returns undefined when it was refused with an allowed code. */
  async function ask<T>(
    run: () => Promise<T>,
    expected: readonly string[],
  ): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      const code = error instanceof LedgerError ? error.code : undefined;
      if (code === undefined) happened.unexpected.push(String((error as Error).stack));
      else if (![...expected, ...ALWAYS].includes(code)) happened.unexpected.push(code);
      return undefined;
    }
  }

  async function begin({ ledger }: Server): Promise<void> {
    const config = { name: SUB, start: "earliest", leaseSeconds: LEASE_SECONDS } as const;
    for (;;) {
      const made = await ask(() => ledger.createSubscription(...OF, config), []);
      if (made !== undefined) break;
      await driver.clock.sleep(50);
    }
    const row = store.items().find(({ sk }) => sk === `SUB#${SUB}`);
    happened.lives.push({ uid: String(row?.uid), beganAt: ++tick });
  }

  async function setUp(first: Server): Promise<void> {
    await first.ledger.createStream(defaultTenant, {
      name: "orders",
      description: "",
      partitions: plan.partitions,
      compaction: "none",
      retentionHours: 360,
      archiveDays: null,
    });
    await begin(first);
    if (plan.faulty) store.setFaults(() => RATES);
  }

  async function publish(chance: SeededRandom, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const names = Array.from({ length: chance.between(1, 4) }, (_, i) => `e${n}.${i}`);
      const events = names.map((name) => ({
        attributes: { key: `k${chance.between(0, 9)}` },
        data: JSON.stringify(name) as RawJson,
      }));
      const { ledger } = chance.pick(servers);
      const done = await ask(() => ledger.publish(...OF, events), []);
      if (done !== undefined) {
        happened.published.push(...names.map((name) => ({ life: happened.lives.length, name })));
      }
      await driver.clock.sleep(chance.fraction() * 600);
    }
  }

  /** Works until `isOver`. Sometimes it violates the rules for good workers. */
  async function work(name: string, chance: SeededRandom, isOver: () => boolean): Promise<void> {
    let server = chance.pick(servers);
    let consumer: string | undefined = name;
    let born = 0;
    const kept: string[] = [];
    const sleep = (ms: number) => driver.clock.sleep(ms);
    while (!isOver()) {
      if (chance.chance(0.05)) server = chance.pick(servers);
      const request = {
        limit: chance.between(1, 6),
        waitSeconds: chance.chance(0.2) ? 2 : 0,
        consumer,
        after: chance.chance(0.2) ? kept.at(-1) : undefined,
      };
      const page = await ask(() => server.ledger.poll(...OF, SUB, request), POLL_REFUSALS);
      if (page === undefined) {
        await sleep(chance.fraction() * 200);
        continue;
      }
      const names = page.events.map(({ data }) => JSON.parse(data) as string);
      happened.delivered.push({ life: lifeOf(page.cursor), names });
      kept.push(page.cursor);
      // The worker sometimes pauses for longer than a lease.
      await sleep(chance.fraction() * (chance.chance(0.1) ? LEASE_SECONDS * 3_000 : 100));
      const chosen = chance.chance(0.1) ? chance.pick(kept) : kept.at(-1);
      if (chosen !== undefined && chance.chance(0.9)) await commit(server, chosen);
      const fate = chance.fraction();
      if (fate < 0.03) {
        // The worker crashes: it remembers nothing, and the next process has another name.
        kept.length = 0;
        consumer = `${name}-${++born}`;
      } else if (fate < 0.06 && consumer !== undefined) {
        const leaving = consumer;
        await ask(() => server.ledger.leave(...OF, SUB, leaving), POLL_REFUSALS);
      } else if (fate > 0.98) {
        consumer = consumer === undefined ? `${name}-${++born}` : undefined;
      }
    }
  }

  async function commit({ ledger }: Server, cursor: string) {
    const sentAt = ++tick;
    let outcome: CommitCall["outcome"] = "unknown";
    try {
      outcome = (await ledger.commit(...OF, SUB, cursor)).stale ? "stale" : "moved";
    } catch (error) {
      const code = error instanceof LedgerError ? error.code : undefined;
      if (code === undefined || ![...COMMIT_REFUSALS, ...ALWAYS].includes(code)) {
        happened.unexpected.push(code ?? String((error as Error).stack));
      }
      if (code !== undefined && COMMIT_REFUSALS.includes(code)) outcome = "refused";
    }
    const content = cursors.parse(cursor);
    happened.commits.push({
      life: lifeOf(cursor),
      cursor: content,
      sentAt,
      endedAt: ++tick,
      outcome,
    });
  }

  return {
    random,
    time,
    store,
    servers,
    driver,
    happened,
    lifeOf,
    ask,
    begin,
    setUp,
    publish,
    work,
  };
}

const ALWAYS = ["outcome-unknown", "store-unavailable", "stream-busy"];
const POLL_REFUSALS = ["invalid-cursor", "subscription-not-found"];
const COMMIT_REFUSALS = ["invalid-cursor", "subscription-not-found", "lease-lost"];

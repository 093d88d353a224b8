import {
  createLedger,
  defaultTenant,
  type Ledger,
  LedgerError,
  type RawJson,
} from "../../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../../dynamodb/seeded-random.ts";
import type { Item } from "../../dynamodb/value.ts";
import { createVirtualTime } from "../../dynamodb/virtual-clock.ts";

const OF = [defaultTenant, "orders"] as const;
const SUB = "s";
const MINUTE_MS = 60_000;
export const CURSOR_KEYS = [{ id: 1, secret: Buffer.from("model") }];
const KEYS = ["a", "b"] as const;

/** The steps of a consumer and an operator, one after another. The processes take turns. */
export const STEPS = [
  "publish a",
  "publish b",
  "publish aab",
  "poll",
  "poll on",
  "commit",
  "fail",
  "retry a",
  "skip a",
  "park last",
  "earliest",
  "latest",
  "half an hour",
  "a minute",
  "five hours",
] as const;
export type Step = (typeof STEPS)[number];

export type ExitPlan = {
  readonly steps: readonly Step[];
  readonly servers: number;
  readonly consumer: string | undefined;
  /** True if the consumer does not commit pages without events, as many consumers do. */
  readonly thrifty: boolean;
};

type Page = Awaited<ReturnType<Ledger["poll"]>>;
type Queue = { readonly key: string; readonly next: number; readonly retrying: boolean };

/** What a consumer and an operator know, and what the table holds, between two steps. */
export type ExitState = {
  readonly items: readonly Item[];
  readonly nowMs: number;
  readonly turn: number;
  /** By key, the published events. */
  readonly log: ReadonlyMap<string, readonly number[]>;
  readonly processed: ReadonlySet<number>;
  /** Events that were skipped, that are lost, or that a seek has passed. */
  readonly excused: ReadonlySet<number>;
  /**
   * Where the consumer failed in its current page. It does not process later events of that key.
   */
  readonly failing: ReadonlyMap<string, number>;
  readonly page: Page | undefined;
  readonly end: number;
};

/**
 * Brings a subscription into some state and checks that there is a way out. Every key must flow, be
 * reported to have lost events, or be listed as parked with an operation that works. Returns the
 * violations.
 */
export async function playExit(plan: ExitPlan): Promise<string[]> {
  const violations: string[] = [];
  const { time, run } = openExit(plan, violations);
  const play = async (): Promise<void> => {
    await run.create();
    for (const step of plan.steps) await run.take(step);
    await run.leadOut();
  };
  await time.finish(play());
  return violations;
}

/** Makes one step from a state. Returns the next state and the violations. */
export async function playStep(
  plan: Omit<ExitPlan, "steps">,
  from: ExitState | undefined,
  step: Step | "create" | "flow at once" | "lead out",
): Promise<{ state: ExitState; violations: string[] }> {
  const violations: string[] = [];
  const { time, run } = openExit(plan, violations, from);
  if (step === "create") await time.finish(run.create());
  else if (step === "flow at once") await time.finish(run.flowAtOnce());
  else if (step === "lead out") await time.finish(run.leadOut());
  else await time.finish(run.take(step));
  return { state: run.state(), violations };
}

function openExit(plan: Omit<ExitPlan, "steps">, violations: string[], from?: ExitState) {
  const { servers, store, time, driver: clock } = openServers(plan.servers, from);
  const pass = (ms: number) => clock.sleep(ms);
  let turn = from?.turn ?? 0;
  const next = (): Ledger => {
    const server = servers[turn++ % servers.length];
    if (server === undefined) throw new Error("a world has a server");
    return server;
  };
  const create = async (): Promise<void> => {
    await next().createStream(defaultTenant, {
      name: "orders",
      description: "",
      partitions: 1,
      compaction: "none",
      retentionHours: 1,
      archiveDays: null,
    });
    await next().createSubscription(...OF, { name: SUB, start: "earliest", leaseSeconds: 3 });
  };

  const log = new Map(KEYS.map((key) => [key as string, [...(from?.log.get(key) ?? [])]]));
  const processed = new Set(from?.processed);
  const excused = new Set(from?.excused);
  let failing = new Map(from?.failing);
  let page = from?.page;
  let end = from?.end ?? 0;

  const codeOf = async (run: () => Promise<unknown>): Promise<string> => {
    try {
      await run();
      return "ok";
    } catch (error) {
      if (error instanceof LedgerError) return error.code;
      throw error;
    }
  };

  async function publish(keys: readonly string[]): Promise<void> {
    const events = keys.map((key) => ({ attributes: { key }, data: "1" as RawJson }));
    const receipt = await next().publish(...OF, events);
    for (const [index, { sequence }] of receipt.events.entries()) {
      log.get(keys[index] ?? "")?.push(sequence);
      end = Math.max(end, sequence);
    }
  }

  async function poll(after?: string): Promise<Page | undefined> {
    if (after === undefined) failing = new Map();
    page = undefined;
    const { consumer } = plan;
    try {
      page = await next().poll(...OF, SUB, { limit: 4, after, consumer });
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      // A lost position is reported, and a seek continues from there. That excuses the lost events.
      if (error.code === "retention-passed") await seek("earliest");
      else if (error.code !== "invalid-cursor") throw error;
    }
    return page;
  }

  /** Processes the events of the current page, except those of keys that have failed. */
  function process(): void {
    for (const { key, sequence } of page?.events ?? []) {
      if (sequence >= (failing.get(key) ?? Infinity)) continue;
      const earlier = (log.get(key) ?? []).filter((each) => each < sequence);
      const missing = earlier.filter((each) => !processed.has(each) && !excused.has(each));
      if (missing.length > 0) violations.push(`${sequence} of ${key} before ${missing}`);
      processed.add(sequence);
    }
  }

  /** Commits what the consumer has processed, up to its current page. */
  async function commit(): Promise<void> {
    if (page === undefined || (plan.thrifty && page.events.length === 0)) return;
    process();
    const { cursor } = page;
    await codeOf(() => next().commit(...OF, SUB, cursor));
  }

  async function fail(): Promise<void> {
    const first = page?.events.find(({ key }) => !failing.has(key));
    if (first === undefined) return;
    const { key, sequence } = first;
    const code = await codeOf(() => next().park(...OF, SUB, { sequence, reason: "" }));
    if (code === "ok") failing.set(key, sequence);
  }

  async function skip(key: string): Promise<string> {
    const server = next();
    const { parked } = await server.listParked(...OF, SUB, { limit: 10 });
    const known = parked.find((each) => each.key === key);
    const code = await codeOf(() => server.release(...OF, SUB, { key, how: "skip" }));
    if (code === "ok" && known?.status === "parked") excused.add(known.sequence);
    // The operator has seen that events are lost.
    if (code === "ok" && known?.expired) await excuseExpired(key);
    return code;
  }

  /** Excuses every event of a key that is no longer kept. */
  async function excuseExpired(key: string): Promise<void> {
    const { events } = await next().browse(...OF, {
      from: "earliest",
      limit: 1,
      type: undefined,
      key: undefined,
    });
    const kept = events[0]?.sequence ?? end + 1;
    for (const sequence of log.get(key) ?? []) if (sequence < kept) excused.add(sequence);
  }

  async function seek(to: "earliest" | "latest"): Promise<void> {
    await next().seek(...OF, SUB, { to });
    page = undefined;
    for (const key of KEYS) await excuseExpired(key);
    if (to === "latest") for (const of of log.values()) for (const each of of) excused.add(each);
  }

  const take = async (step: Step): Promise<unknown> => {
    if (step === "poll") return poll();
    if (step === "poll on") {
      process();
      return poll(page?.cursor);
    }
    if (step === "commit") return commit();
    if (step === "fail") return fail();
    if (step === "skip a") return skip("a");
    if (step === "retry a")
      return codeOf(() => next().release(...OF, SUB, { key: "a", how: "retry" }));
    if (step === "park last") {
      const sequence = log.get("a")?.at(-1) ?? 1;
      const code = await codeOf(() => next().park(...OF, SUB, { sequence, reason: "" }));
      // A consumer that parks an event it has not received counts the earlier events as processed.
      if (code === "ok")
        for (const each of log.get("a") ?? []) if (each < sequence) excused.add(each);
      return code;
    }
    if (step === "earliest" || step === "latest") return seek(step);
    if (step === "a minute") return pass(MINUTE_MS + 1);
    if (step === "half an hour" || step === "five hours") {
      await pass((step === "five hours" ? 301 : 31) * MINUTE_MS);
      return next().sweep({ budgetMs: 20_000 });
    }
    return publish([...step.slice("publish ".length)]);
  };
  /** Polls and commits until nothing remains to be delivered. */
  async function drain(): Promise<void> {
    for (let idle = 0, rounds = 0; idle < 2; rounds++) {
      if (rounds > 30) return void violations.push("it never comes to rest");
      const found = await poll();
      idle = found?.events.length === 0 && found.caughtUp ? idle + 1 : 0;
      await commit();
    }
  }

  const listed = async () => (await next().listParked(...OF, SUB, { limit: 10 })).parked;

  /** Checks that a key without waiting events flows: its next event comes with the next poll. */
  async function checkFlow(): Promise<void> {
    const parked = await listed();
    const waiting = parked.filter(({ status, expired }) => status === "parked" || expired);
    const free = KEYS.filter((key) => waiting.every((each) => each.key !== key));
    // Everything that is retried has been delivered and committed by now.
    const ghosts = plan.thrifty ? [] : parked.filter((each) => !waiting.includes(each));
    for (const { key } of ghosts) violations.push(`${key} is listed though nothing of it waits`);
    await publish(free);
    const keys = new Set((await poll())?.events.map(({ key }) => key));
    const stuck = free.filter((key) => !keys.has(key) && parked.every((each) => each.key !== key));
    if (stuck.length > 0) violations.push(`${stuck} does not flow`);
    await commit();
    // A key with a skipped event flows once a commit has passed that event.
    for (const { key } of (await poll())?.events ?? []) keys.add(key);
    const late = free.filter((key) => !keys.has(key));
    if (late.length > 0) violations.push(`${late} does not flow after a commit`);
    await commit();
  }

  /** Checks that the next event comes with the next poll when nothing is left to process. */
  async function flowAtOnce(): Promise<void> {
    const row = store.items().find(({ sk }) => String(sk).startsWith("OFFSET#"));
    const position = Number(row?.n);
    const queues = (row?.q ?? []) as unknown as readonly Queue[];
    for (const { key, next: at, retrying } of queues) {
      const isEmpty = !log.get(key)?.some((each) => each >= at && each < position);
      if (retrying && at <= position && isEmpty)
        violations.push(`${key} is listed though nothing of it waits`);
    }
    const left = [...log.values()]
      .flat()
      .filter((each) => !processed.has(each) && !excused.has(each));
    const waits = (await listed()).some(({ status, expired }) => status === "parked" || expired);
    if (left.length > 0 || waits || position !== end + 1) return;
    await publish(["a"]);
    const found = await poll();
    if (found?.events.length === 0)
      violations.push("the next event does not come with the next poll");
  }

  async function leadOut(): Promise<void> {
    // After five seconds every process knows what other processes did.
    await pass(6_000);
    await drain();
    await checkFlow();
    await drain();
    for (let rounds = 0; (await listed()).length > 0; rounds++) {
      if (rounds > 5) {
        violations.push(`no operation leads out of ${JSON.stringify(await listed())}`);
        break;
      }
      for (const { key } of await listed()) {
        const code = await codeOf(() => next().release(...OF, SUB, { key, how: "retry" }));
        if (code === "retention-passed") await skip(key);
      }
      await pass(6_000);
      await drain();
    }
    await checkFlow();
    for (const [key, sequences] of log) {
      const lost = sequences.filter((each) => !processed.has(each) && !excused.has(each));
      if (lost.length > 0) violations.push(`${lost} of ${key} never came`);
    }
  }

  const state = (): ExitState => ({
    items: store.items(),
    nowMs: time.nowMs(),
    turn,
    log,
    processed,
    excused,
    failing,
    page,
    end,
  });
  return { time, run: { create, take, flowAtOnce, leadOut, state } };
}

function openServers(count: number, from?: ExitState) {
  const random = seededRandom(1);
  const time = createVirtualTime(random.fork("time"), from?.nowMs);
  const store = createFakeDynamo({ tableName: "exits", seed: 1, time });
  store.load(from?.items ?? []);
  const servers = Array.from({ length: count }, (_, n) => {
    const process = time.process(`server ${n}`);
    return createLedger({
      client: store.client(process) as never,
      tableName: "exits",
      clock: process.clock,
      random: random.fork(`${n} ${from?.nowMs} ${from?.turn}`),
      cursorKeys: CURSOR_KEYS,
    });
  });
  return { servers, store, time, driver: time.process("driver").clock };
}

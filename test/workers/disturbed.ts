import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Target } from "../contract/wire.ts";

/** One line of a worker, with the process it came from and when it arrived. */
export type Line = {
  readonly consumer: string;
  readonly atMs: number;
  readonly key?: string;
  readonly sequence?: number;
  readonly data?: number;
  readonly refused?: string;
  readonly committed?: true;
};

export type Disturbed = {
  readonly lines: readonly Line[];
  readonly published: readonly number[];
  readonly kills: number;
  readonly stops: number;
  /** How long the survivors took to hold everything again, for each kill, in milliseconds. */
  readonly rebalancedMs: readonly number[];
};

export type Options = {
  readonly workers: number;
  readonly partitions: number;
  readonly leaseSeconds: number;
  readonly durationMs: number;
  readonly everyMs: number;
};

const PROGRAM = fileURLToPath(new URL("worker.ts", import.meta.url));

/**
 * Worker processes that share one subscription while they are killed and stopped, a publisher beside
 * them; then a quiet time in which what is left is worked off.
 */
export async function runDisturbed(target: Target, options: Options): Promise<Disturbed> {
  const { workers, partitions, leaseSeconds, durationMs, everyMs } = options;
  const stream = `workers-${process.hrtime.bigint()}`;
  await send(target, "POST", "/streams", { name: stream, partitions });
  const of = `/streams/${stream}/subscriptions`;
  await send(target, "POST", of, { name: "s", leaseSeconds });
  const lines: Line[] = [];
  const children: ChildProcess[] = [];
  let born = 0;
  const start = (at: number): void => {
    const consumer = `w${at}-${++born}`;
    const child = spawn(
      process.execPath,
      [PROGRAM, target.baseUrl, target.apiKey, stream, consumer],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    createInterface({ input: child.stdout }).on("line", (text) => {
      lines.push({ ...(JSON.parse(text) as Line), atMs: performance.now() });
    });
    children[at] = child;
  };
  const published: number[] = [];
  const rebalancedMs: number[] = [];
  let [kills, stops, over] = [0, 0, false];
  const publishing = (async () => {
    for (let n = 0; !over; n++) {
      const events = Array.from({ length: 5 }, (_, i) => ({
        key: `k${(n * 5 + i) % 97}`,
        data: n * 5 + i,
      }));
      await send(target, "POST", `/streams/${stream}/events`, { events });
      published.push(...events.map(({ data }) => data));
      await sleep(20);
    }
  })();
  try {
    for (let at = 0; at < workers; at++) start(at);
    await untilHeld(target, `${of}/s`, workers);
    const until = performance.now() + durationMs;
    for (let turn = 0; performance.now() < until; turn++) {
      const at = (turn * 3) % workers;
      const victim = children[at];
      if (turn % 2 === 0) {
        victim?.kill("SIGKILL");
        kills++;
        const began = performance.now();
        await untilHeld(target, `${of}/s`, workers - 1);
        rebalancedMs.push(performance.now() - began);
        start(at);
      } else {
        victim?.kill("SIGSTOP");
        stops++;
        await sleep(leaseSeconds * 1_000 * 1.3);
        victim?.kill("SIGCONT");
      }
      await sleep(everyMs);
    }
    over = true;
    await publishing;
    const drained = performance.now() + 30_000;
    while (performance.now() < drained && (await lagOf(target, `${of}/s`)) > 0) await sleep(200);
  } finally {
    over = true;
    for (const child of children) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
  }
  await sleep(200);
  return { lines, published, kills, stops, rebalancedMs };
}

type Info = { lag: { events: number }; members: { share: number }[] };

const lagOf = async (target: Target, path: string): Promise<number> =>
  ((await send(target, "GET", path)) as Info).lag.events;

/** Until so many workers hold everything between them, none without a share. */
async function untilHeld(target: Target, path: string, workers: number): Promise<void> {
  for (const until = performance.now() + 30_000; performance.now() < until; await sleep(50)) {
    const { members } = (await send(target, "GET", path)) as Info;
    const held = members.filter(({ share }) => share > 0);
    const whole = Math.abs(held.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9;
    if (whole && held.length === workers) return;
  }
  throw new Error(`${workers} workers do not come to hold everything`);
}

async function send({ baseUrl, apiKey }: Target, method: string, path: string, json?: object) {
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  return (await response.json()) as object;
}

/** What must not be: events that nobody has processed, and keys that went back. */
export function findViolations({ lines, published }: Disturbed): string[] {
  const processed = new Set(lines.flatMap(({ data }) => data ?? []));
  const missing = published.filter((data) => !processed.has(data));
  const violations = missing.map((data) => `nobody has processed ${data}`);
  // Deliveries to one worker are in order, but where it begins anew behind what is committed, and
  // there everything from that point on comes again. So a key's order is inverted when a later event
  // of it is met by the worker before an earlier one that nobody had processed yet.
  const done = new Map<string, Set<number>>();
  for (const [key, of] of Map.groupBy(lines, ({ key }) => key)) {
    if (key === undefined) continue;
    const seen = done.get(key) ?? new Set<number>();
    done.set(key, seen);
    let highest = 0;
    for (const { sequence = 0, consumer } of of) {
      if (sequence < highest && !seen.has(sequence)) {
        violations.push(`${consumer} met ${key} ${sequence} for the first time after ${highest}`);
      }
      seen.add(sequence);
      highest = Math.max(highest, sequence);
    }
  }
  return violations;
}

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Target } from "../../contract/wire.ts";

/** One line of a worker, with its process and its arrival time. */
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
  /**
   * For each SIGKILL and SIGSTOP, the time until other workers held all partitions of the victim.
   */
  readonly takeOvers: readonly { readonly signal: Signal; readonly ms: number }[];
};

type Signal = "SIGKILL" | "SIGSTOP";

export type Options = {
  readonly workers: number;
  readonly partitions: number;
  readonly leaseSeconds: number;
  readonly waitSeconds: number;
  readonly durationMs: number;
  /** The time from one disturbance to the next. */
  readonly everyMs: number;
};

type Worker = { readonly consumer: string; readonly child: ChildProcess };

const PROGRAM = fileURLToPath(new URL("worker.ts", import.meta.url));

/**
 * Runs worker processes that share one subscription, together with a publisher. The workers are
 * killed and paused in turn. A quiet time follows, in which they process the remaining events. Once
 * other workers have taken over, a killed worker starts again under another name, and a paused
 * worker resumes.
 */
export async function runDisturbed(target: Target, options: Options): Promise<Disturbed> {
  const { workers, partitions, leaseSeconds, waitSeconds, durationMs, everyMs } = options;
  const stream = `workers-${process.hrtime.bigint()}`;
  await send(target, "POST", "/streams", { name: stream, partitions });
  const of = `/streams/${stream}/subscriptions`;
  await send(target, "POST", of, { name: "s", leaseSeconds });
  const lines: Line[] = [];
  const team: Worker[] = [];
  let born = 0;
  const start = (at: number): void => {
    const consumer = `w${at}-${++born}`;
    const child = spawn(
      process.execPath,
      [PROGRAM, target.baseUrl, target.apiKey, stream, consumer, String(waitSeconds)],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    createInterface({ input: child.stdout }).on("line", (text) => {
      lines.push({ ...(JSON.parse(text) as Line), atMs: performance.now() });
    });
    team[at] = { consumer, child };
  };
  const published: number[] = [];
  const takeOvers: { signal: Signal; ms: number }[] = [];
  let over = false;
  const disturb = async (at: number, signal: Signal): Promise<void> => {
    const victim = team[at];
    if (victim === undefined) return;
    victim.child.kill(signal);
    const began = performance.now();
    await untilTakenOver(target, `${of}/s`, victim.consumer);
    takeOvers.push({ signal, ms: Math.round(performance.now() - began) });
    if (signal === "SIGKILL") start(at);
    else victim.child.kill("SIGCONT");
  };
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
    const began = performance.now();
    const disturbing: Promise<void>[] = [];
    for (let turn = 0; turn * everyMs < durationMs; turn++) {
      // The victims of earlier turns that are still down are different workers.
      disturbing.push(disturb((turn * 3) % workers, turn % 2 === 0 ? "SIGKILL" : "SIGSTOP"));
      await sleep(began + (turn + 1) * everyMs - performance.now());
    }
    await Promise.all(disturbing);
    over = true;
    await publishing;
    const drained = performance.now() + 30_000;
    while (performance.now() < drained && (await lagOf(target, `${of}/s`)) > 0) await sleep(200);
  } finally {
    over = true;
    for (const { child } of team) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
  }
  await sleep(200);
  return { lines, published, takeOvers };
}

type Info = { lag: { events: number }; members: { consumer: string; share: number }[] };

const lagOf = async (target: Target, path: string): Promise<number> =>
  ((await send(target, "GET", path)) as Info).lag.events;

/** Waits until this number of workers hold all partitions and each of them has a share. */
const untilHeld = (target: Target, path: string, workers: number): Promise<void> =>
  untilMembers(target, path, (members) => {
    const holders = members.filter(({ share }) => share > 0);
    return isWhole(holders) && holders.length === workers;
  });

/** Waits until other workers hold all partitions. */
const untilTakenOver = (target: Target, path: string, victim: string): Promise<void> =>
  untilMembers(target, path, (members) =>
    isWhole(members.filter(({ consumer }) => consumer !== victim)),
  );

async function untilMembers(
  target: Target,
  path: string,
  isSo: (members: Info["members"]) => boolean,
): Promise<void> {
  for (const until = performance.now() + 30_000; performance.now() < until; await sleep(50)) {
    if (isSo(((await send(target, "GET", path)) as Info).members)) return;
  }
  throw new Error("the workers did not take over all shares in time");
}

const isWhole = (members: Info["members"]): boolean =>
  Math.abs(members.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9;

async function send({ baseUrl, apiKey }: Target, method: string, path: string, json?: object) {
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  return (await response.json()) as object;
}

/** Returns the violations: events that no worker has processed, and keys that went back. */
export function findViolations({ lines, published }: Disturbed): string[] {
  const processed = new Set(lines.flatMap(({ data }) => data ?? []));
  const missing = published.filter((data) => !processed.has(data));
  const violations = missing.map((data) => `no worker has processed ${data}`);
  // Deliveries to one worker are in order, except that it may restart after the committed offset
  // and receive everything from there again. So the order of a key is violated when a worker
  // receives a later event of the key before an earlier one that is not processed yet.
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

import { LedgerError } from "../../../../packages/core/src/kernel/error.ts";
import type { RawJson } from "../../../../packages/core/src/model/event.ts";
import type { Latency } from "../../dynamodb/delivery.ts";
import { type LogProcess, simulateLog } from "./simulated-log.ts";

const eventOf = (key: string) => ({ attributes: { key }, data: "1" as RawJson });

/**
 * One way between a function and the table. Both ways take 5 ms at the median and 16 ms at the 99th
 * percentile.
 */
export const lambdaToTable: Latency = (random) => {
  const uniform = Math.max(random.fraction(), 1e-9);
  const normal = Math.sqrt(-2 * Math.log(uniform)) * Math.cos(2 * Math.PI * random.fraction());
  return 2.25 * Math.exp(0.66 * normal);
};

/** The results of writers, per second and per append. Times are milliseconds. */
export type Figures = {
  readonly perSecond: number;
  readonly putsPerAppend: number;
  /** The number of other writes per append, such as those that take a ticket. */
  readonly ticketsPerAppend: number;
  readonly readsPerAppend: number;
  /** The share of batches whose writers had to wait for others. */
  readonly waitedShare: number;
  readonly p50: number;
  readonly p99: number;
  /** The largest p99 of one writer. */
  readonly worstP99: number;
  readonly leastToMost: number;
  readonly busy: number;
  readonly processes: number;
};

type Publish = (by: LogProcess, writer: number, key?: string) => Promise<void>;

function begin(name: string) {
  const simulated = simulateLog(name, { latencyMs: lambdaToTable, scanMs: 0, commitMs: 0 });
  const { time, store } = simulated;
  const latencies = new Map<number, number[]>();
  let busy = 0;
  const publish: Publish = async ({ log, recall }, writer, key = "k") => {
    const sentAt = time.nowMs();
    try {
      await log.publish(await recall(), [eventOf(key)]);
      const own = latencies.get(writer) ?? [];
      latencies.set(writer, own);
      own.push(time.nowMs() - sentAt);
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== "stream-busy") throw error;
      busy++;
    }
  };
  const count = (name: string) => store.tally.get(`sent.${name}`);
  const figures = (seconds: number, processes: number): Figures => {
    const writers = [...latencies.values()];
    const all = writers.flat();
    const batches = store.items().filter(({ sk }) => String(sk).startsWith("SEQ#"));
    const shares = writers.map(({ length }) => length);
    return {
      perSecond: Math.round(all.length / seconds),
      putsPerAppend: round(count("put") / all.length),
      ticketsPerAppend: round(count("update") / all.length),
      readsPerAppend: round((count("query") + count("get")) / all.length),
      waitedShare: round(
        batches.filter(({ q, w }) => q !== undefined && !w).length / batches.length,
      ),
      p50: round(at(all, 0.5)),
      p99: round(at(all, 0.99)),
      worstP99: round(Math.max(...writers.map((of) => at(of, 0.99)))),
      leastToMost: round(Math.min(...shares) / Math.max(...shares)),
      busy,
      processes,
    };
  };
  return { ...simulated, publish, figures };
}

const round = (value: number) => Math.round(value * 100) / 100;
const at = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * values.length)] ?? 0;

/**
 * Makes each writer, a separate process, publish one event after another. The last one begins
 * `lateMs` after the others. With several partitions, each event has a key of its own.
 */
export async function closedLoop(
  writers: number,
  seconds: number,
  { lateMs = 0, partitions = 1 }: { readonly lateMs?: number; readonly partitions?: number } = {},
): Promise<Figures> {
  const { time, start, createStream, publish, figures } = begin(`closed ${writers}`);
  const processes = Array.from({ length: writers }, (_, n) => start(`writer ${n}`));
  if (processes[0] !== undefined) await time.finish(createStream(processes[0], partitions));
  let keys = 0;
  const nextKey = () => (partitions === 1 ? "k" : `k${keys++}`);
  const until = time.nowMs() + seconds * 1_000;
  await time.finish(
    Promise.all(
      processes.map(async (process, writer) => {
        if (lateMs > 0 && writer === writers - 1) await pause(time, lateMs);
        while (time.nowMs() < until) await publish(process, writer, nextKey());
      }),
    ),
  );
  return figures(seconds, writers);
}

/**
 * Makes two writers publish concurrently until both have taken tickets, and then one of them alone,
 * with a pause after each append. Returns the number of tickets that it takes after the last append
 * of the other, and the mean number of its puts per append in the second half.
 */
export async function afterMeeting(gapMs: number) {
  const { time, start, createStream, publish, store } = begin(`meeting ${gapMs}`);
  const [one, other] = [start("one"), start("other")];
  await time.finish(createStream(one, 1));
  const counted = (name: string) => store.tally.get(`sent.${name}`);
  const go = async (by: LogProcess, appends: number) => {
    for (let count = 0; count < appends; count++) {
      await publish(by, 0);
      if (gapMs > 0) await pause(time, gapMs);
    }
  };
  const meet = async (by: LogProcess) => {
    for (let count = 0; count < 20; count++) await publish(by, 0);
  };
  await time.finish(Promise.all([meet(one), meet(other)]));
  const met = counted("update");
  if (met === 0) throw new RangeError("the writers did not meet");
  await time.finish(go(one, 100));
  const tickets = counted("update") - met;
  const puts = counted("put");
  await time.finish(go(one, 100));
  return { tickets, meanPuts: (counted("put") - puts) / 100 };
}

const pause = (time: ReturnType<typeof begin>["time"], ms: number): Promise<void> =>
  new Promise((resolve) => time.after(ms, () => resolve()));

/**
 * Publishes at random moments, `rate` times a second. As on Lambda, a process serves one request at
 * a time. A request goes to the process that was used last, or to a new one when all are busy.
 */
export async function openLoop(rate: number, seconds: number): Promise<Figures> {
  const { time, start, createStream, publish, figures, random } = begin(`open ${rate}`);
  const first = start("first");
  await time.finish(createStream(first, 1));
  const idle: LogProcess[] = [first];
  let started = 1;
  const work: Promise<void>[] = [];
  const arrivals = random.fork("arrivals");
  for (let atMs = 0; atMs < seconds * 1_000; ) {
    atMs += (-Math.log(Math.max(arrivals.fraction(), 1e-9)) / rate) * 1_000;
    work.push(
      new Promise((resolve) => {
        time.after(atMs, () => {
          const process = idle.pop() ?? start(`process ${started++}`);
          void publish(process, 0).then(() => {
            idle.push(process);
            resolve();
          });
        });
      }),
    );
  }
  await time.finish(Promise.all(work));
  return figures(seconds, started);
}

import type { Cli } from "../cli.ts";
import { Failure, Interrupted } from "../io.ts";
import { progressLine } from "../output/progress.ts";
import { explain } from "../output/trouble.ts";
import { count, plural } from "../output/words.ts";
import { LedgerProblem } from "../sdk.ts";
import type { Batch } from "./batches.ts";

/** The result of publishing several events. */
export type Published = {
  readonly stream: string;
  /** Events that this run has written. */
  readonly published: number;
  /** Events that an earlier run had written. */
  readonly alreadyThere: number;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  /** The position after the last event. */
  readonly cursor: string | null;
  readonly seconds: number;
};

export type Plan = {
  readonly stream: string;
  /** The number of events, if it is known. */
  readonly total: number | undefined;
  /** Returns the Idempotency-Key of a batch. Undefined if each run publishes all lines again. */
  keyOf(batch: Batch): string | undefined;
  /** Lines up to this one are known to be durable and are not sent. */
  readonly durableTo: number;
  /** Called after each request with its last line, and the life of the stream. */
  onDurable(line: number, life: string): void;
  /** The command that continues this publish, for messages. */
  readonly again: string;
  /** Whether the same command with the same input continues this publish. */
  readonly isRepeatable: boolean;
};

/** How long a request in flight may take after Ctrl-C. */
const FINISH_MS = 3_000;

/** Publishes batch after batch, one request at a time, so that the order of lines is kept. */
export async function publishBatches(
  cli: Cli,
  batches: AsyncIterable<Batch>,
  plan: Plan,
): Promise<Published> {
  const { io, out } = cli;
  const server = cli.server({ isPatient: true });
  const stream = server.stream(plan.stream);
  const late = lateAbort(io.signal);
  const began = io.now();
  let [published, alreadyThere, line, durable] = [0, 0, 0, plan.durableTo];
  let first: number | null = null;
  let last: number | null = null;
  let cursor: string | null = null;
  let current: Batch | undefined;
  try {
    for await (const batch of batches) {
      io.signal.throwIfAborted();
      current = batch;
      line = batch.lines.at(-1) ?? line;
      if (line <= plan.durableTo) {
        alreadyThere += batch.events.length;
        continue;
      }
      const idempotencyKey = plan.keyOf(batch);
      const receipt = await stream.publish(batch.events, { idempotencyKey, signal: late.signal });
      if (server.lastStatus() === 200) alreadyThere += batch.events.length;
      else published += batch.events.length;
      first ??= receipt.events[0]?.sequence ?? null;
      last = receipt.events.at(-1)?.sequence ?? last;
      cursor = receipt.cursor;
      durable = line;
      plan.onDurable(line, receipt.life);
      const done = published + alreadyThere;
      const elapsedMs = io.now() - began;
      await out.progress(progressLine({ name: plan.stream, done, total: plan.total, elapsedMs }));
      io.signal.throwIfAborted();
    }
  } catch (error) {
    const done = published + alreadyThere;
    if (io.signal.aborted) {
      const upTo = done === 0 ? "Nothing is published" : `${plural(done, "event")} are published`;
      const next = plan.isRepeatable ? plan.again : fromLine(plan.again, durable + 1);
      await out.note(`Stopped. ${upTo}, up to line ${count(durable)}.\nnext   ${next}`);
      throw new Interrupted();
    }
    const progress = { done, line: durable, batch: current, again: plan.again };
    throw explainRefusal(error, cli.about, progress);
  } finally {
    late.end();
  }
  const seconds = Math.round(io.now() - began) / 1_000;
  return {
    stream: plan.stream,
    published,
    alreadyThere,
    firstSequence: first,
    lastSequence: last,
    cursor,
    seconds,
  };
}

/** Returns a signal that aborts some time after the given one. */
function lateAbort(signal: AbortSignal): { readonly signal: AbortSignal; end(): void } {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => late.abort(signal.reason), FINISH_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    signal: late.signal,
    end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}

const fromLine = (command: string, line: number): string =>
  `${command.replace(/ --from-line \d+/, "")} --from-line ${line}`;

type Progress = {
  readonly done: number;
  /** The last line that is durable. */
  readonly line: number;
  /** The refused batch. */
  readonly batch: Batch | undefined;
  readonly again: string;
};

/** Explains which line was refused, how much is published, and which command continues. */
function explainRefusal(
  error: unknown,
  about: Cli["about"],
  { done, line, batch, again }: Progress,
): unknown {
  if (!(LedgerProblem.is(error) || error instanceof Failure)) return error;
  const { what, exitCode, help } = explain(error, about);
  // The server counts from the first event of the request.
  const named = what.replaceAll(/\bevents\/(\d+)\/?/g, (_, at) => `line ${batch?.lines[at]} `);
  const isLine = named !== what || error instanceof Failure;
  if (done === 0 && !isLine) return error;
  const before =
    done === 0
      ? "Nothing is published."
      : `${plural(done, "event")} are published, up to line ${count(line)}; no later one is.`;
  const continues = done === 0 ? again : fromLine(again, line + 1);
  const first = isLine ? "correct the line, then: " : "";
  const text = `${named.charAt(0).toUpperCase()}${named.slice(1)} ${before}`;
  return new Failure(text, { help: done === 0 && help ? help : `${first}${continues}`, exitCode });
}

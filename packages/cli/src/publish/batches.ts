import { Failure, UsageError } from "../io.ts";
import { EXIT } from "../output/trouble.ts";
import { type EventToPublish, eventOfLine, type LineRules, sizeOf } from "./event-of-line.ts";
import type { Line } from "./lines.ts";

/** The events of one request, with the numbers of their lines. */
export type Batch = {
  readonly events: readonly EventToPublish[];
  readonly lines: readonly number[];
};

const EVENTS_MAX = 500;
const BYTES_MAX = 1_000_000;
/** A request that is not full is sent when its input has paused for this long. */
const LINGER_MS = 50;

export type BatchRules = LineRules & {
  /** The number of the first line to publish. Earlier lines are left out. */
  readonly fromLine: number;
  /**
   * True: where a batch ends depends on the content alone, so that the same input always gives the
   * same batches. False: a batch is also sent when the input pauses.
   */
  readonly isRepeatable: boolean;
};

/** Groups the events of lines into batches. Throws `UsageError` with the number of a wrong line. */
export async function* batchesOf(
  chunks: AsyncGenerator<readonly Line[], void, void>,
  rules: BatchRules,
): AsyncGenerator<Batch, void, void> {
  let events: EventToPublish[] = [];
  let lines: number[] = [];
  let bytes = 0;
  const take = (): Batch => {
    const batch = { events, lines };
    events = [];
    lines = [];
    bytes = 0;
    return batch;
  };
  let next = chunks.next();
  for (;;) {
    if (!rules.isRepeatable && events.length > 0 && (await isPaused(next))) yield take();
    const { value: chunk, done } = await next;
    if (done) break;
    next = chunks.next();
    // Its failure is thrown when it is awaited. Until then it must not count as unhandled.
    next.catch(() => {});
    for (const { number, text } of chunk) {
      if (number < rules.fromLine) continue;
      const event = atLine(number, () => eventOfLine(withoutMark(number, text), rules));
      const size = sizeOf(event.data);
      if (events.length > 0 && bytes + size > BYTES_MAX) yield take();
      events.push(event);
      lines.push(number);
      bytes += size;
      if (events.length === EVENTS_MAX) yield take();
    }
  }
  if (events.length > 0) yield take();
}

/** Returns whether an input brings nothing for a while. */
async function isPaused(next: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, LINGER_MS, true);
  next.then(
    () => resolve(false),
    () => resolve(false),
  );
  const paused = await promise;
  clearTimeout(timer);
  return paused;
}

function atLine<T>(number: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const more = error.help === undefined ? {} : { help: error.help };
    throw new Failure(`Line ${number} ${error.message}.`, { ...more, exitCode: EXIT.usage });
  }
}

/** Removes the byte order mark with which some editors begin a file. */
const withoutMark = (number: number, text: string): string =>
  number === 1 ? text.replace(/^\ufeff/, "") : text;

/** The place and time of a batch: its events are those from `first` to before `next`. */
export type BatchTime = {
  readonly first: number;
  readonly next: number;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
};

/**
 * A batch whose events take this many bytes costs more than one read unit. DynamoDB charges for all
 * of it, whatever is asked of it.
 */
export const LARGE_BATCH_BYTES = 3_900;

/** This many fit into the checkpoint's first kilobyte, so they cost no write unit. */
const KEPT = 32;

/** One entry is written as `gap.count.time`, the gap and the time relative to the entry before. */
type Text = string | undefined;

/**
 * Returns the times of the last large batches as a short text, after these batches of the same
 * chain were added to it. Pure.
 */
export const withBatchTimes = (text: Text, added: readonly BatchTime[]): string =>
  formatTimes([...parseTimes(text), ...added].slice(-KEPT));

/** Returns the publication time of an event if it is in one of these batches. Pure. */
export const batchTimeAt = (text: Text, sequence: number): number | undefined =>
  parseTimes(text).find(({ first, next }) => first <= sequence && sequence < next)?.publishedAt;

function formatTimes(times: readonly BatchTime[]): string {
  let at = 0;
  let ms = 0;
  const entries = times.map(({ first, next, publishedAt }) => {
    const parts = [first - at, next - first, publishedAt - ms];
    at = next;
    ms = publishedAt;
    return parts.map((part) => part.toString(RADIX)).join(".");
  });
  return entries.join(" ");
}

function parseTimes(text: Text): BatchTime[] {
  let at = 0;
  let ms = 0;
  return (text ?? "").split(" ").flatMap((entry) => {
    if (entry === "") return [];
    const [gap = 0, count = 0, time = 0] = entry.split(".").map((part) => parseInt(part, RADIX));
    const first = at + gap;
    at = first + count;
    ms += time;
    return [{ first, next: at, publishedAt: ms }];
  });
}

const RADIX = 36;

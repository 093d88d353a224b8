import type { Line } from "./history.ts";

/** A retention that a stream may have had, and when. */
type Stretch = { readonly forMs: number; readonly fromMs: number; readonly toMs: number };

/**
 * Returns how long the events of a moment are kept at least, as seen from a later moment: the
 * shortest retention that the stream may have had since. A longer retention applies only to events
 * published from then on, and a shorter one applies at once.
 */
export type Retentions = { leastMs(publishedAtMs: number, nowMs: number): number };

/** Returns whether an event must exist at a moment. */
export const isStillKept = (
  { keptFromMs }: { readonly keptFromMs: number },
  atMs: number,
  { retentions, skewMs }: { readonly retentions: Retentions; readonly skewMs: number },
): boolean => keptFromMs > atMs - retentions.leastMs(keptFromMs, atMs) + skewMs;

/**
 * @param firstMs the retention of new streams
 * @param lateMs how long a change may stay unseen or arrive late
 */
export function createRetentions(
  lines: readonly Line[],
  firstMs: number,
  lateMs: number,
): Retentions {
  let stretches: Stretch[] = [{ forMs: firstMs, fromMs: -Infinity, toMs: Infinity }];
  const asked = new Map<number, { readonly forMs: number; readonly atMs: number }>();
  const copies = new Map<number, number>();
  const begin = (forMs: number, fromMs: number): void => {
    stretches.push({ forMs, fromMs, toMs: Infinity });
  };
  for (const line of lines) {
    if (line.type === "invoke" && line.op === "patch") {
      asked.set(line.call, { forMs: line.retentionMs, atMs: line.atMs });
      begin(line.retentionMs, line.atMs);
    }
    if (line.type === "invoke" && line.op === "create") begin(firstMs, line.atMs);
    if (line.type === "ok" && line.op === "patch") {
      // A change that was requested earlier has ended. The effect of a change requested since is
      // unknown.
      const { atMs = Infinity } = asked.get(line.call) ?? {};
      const toMs = line.atMs + lateMs;
      stretches = stretches.map((each) =>
        each.fromMs < atMs ? { ...each, toMs: Math.min(each.toMs, toMs) } : each,
      );
    }
    if (line.type === "info" && line.op === "copied") copies.set(line.copy, line.atMs);
    if (line.type === "info" && line.op === "restored") {
      const then = copies.get(line.copy) ?? -Infinity;
      for (const { forMs, fromMs, toMs } of [...stretches]) {
        if (fromMs <= then && toMs >= then) begin(forMs, line.atMs);
      }
    }
  }
  return {
    leastMs: (publishedAtMs, nowMs) =>
      stretches.reduce(
        (least, { forMs, fromMs, toMs }) =>
          fromMs <= nowMs && toMs >= publishedAtMs - lateMs ? Math.min(least, forMs) : least,
        Infinity,
      ),
  };
}

import type { Line } from "../../simulation/checker/history.ts";

/** A span of the clock that all processes of a run share, in milliseconds. */
export type Span = { readonly fromMs: number; readonly toMs: number };

/** How long publishes took. Those without an answer are not among them. */
export type Times = {
  readonly publishes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/** The publishes of a run that were under way during a change of partitions, and all others. */
export type ChangeTimes = {
  /** The change that took longest. */
  readonly changeMaxMs: number;
  readonly during: Times;
  /** Those during a change that no killed or paused process could have delayed. */
  readonly duringUndisturbed: Times;
  readonly otherwise: Times;
  readonly otherwiseUndisturbed: Times;
};

/** Measures the publishes of a history around changes of partitions and disturbances. */
export function changeTimesOf(
  history: readonly Line[],
  {
    changes,
    disturbances,
  }: { readonly changes: readonly Span[]; readonly disturbances: readonly Span[] },
): ChangeTimes {
  const begun = new Map<number, number>();
  const spans: Span[] = [];
  for (const line of history) {
    if (line.type === "info" || line.op !== "publish") continue;
    if (line.type === "invoke") begun.set(line.call, line.atMs);
    const fromMs = begun.get(line.call);
    if (line.type === "ok" && fromMs !== undefined) spans.push({ fromMs, toMs: line.atMs });
  }
  const meets = (some: readonly Span[]) => (span: Span) =>
    some.some(({ fromMs, toMs }) => fromMs <= span.toMs && span.fromMs <= toMs);
  const during = spans.filter(meets(changes));
  const otherwise = spans.filter((span) => !meets(changes)(span));
  const undisturbed = (some: readonly Span[]) => some.filter((span) => !meets(disturbances)(span));
  return {
    changeMaxMs: Math.round(Math.max(0, ...changes.map(lengthOf))),
    during: timesOf(during),
    duringUndisturbed: timesOf(undisturbed(during)),
    otherwise: timesOf(otherwise),
    otherwiseUndisturbed: timesOf(undisturbed(otherwise)),
  };
}

const lengthOf = ({ fromMs, toMs }: Span): number => toMs - fromMs;

function timesOf(spans: readonly Span[]): Times {
  const lengths = spans.map(lengthOf).sort((a, b) => a - b);
  const at = (part: number) =>
    Math.round(lengths[Math.min(lengths.length - 1, Math.floor(lengths.length * part))] ?? 0);
  return { publishes: lengths.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

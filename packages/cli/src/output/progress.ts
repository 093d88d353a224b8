import { count, duration } from "./words.ts";

const CELLS = 20;

/** A line such as `orders  ########------------  1,000 of 5,000  210/s  19s left`. */
export function progressLine({
  name,
  done,
  total,
  elapsedMs,
  print = count,
}: {
  readonly name: string;
  readonly done: number;
  /** Undefined when the input is a stream. */
  readonly total: number | undefined;
  readonly elapsedMs: number;
  /** How amounts are written: events as numbers, bytes with a unit. */
  readonly print?: (amount: number) => string;
}): string {
  const rate = elapsedMs > 0 ? (done / elapsedMs) * 1_000 : 0;
  const pace = `${print(Math.round(rate))}/s`;
  if (total === undefined) return `${name}  ${print(done)}  ${pace}`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.round(share * CELLS);
  const bar = "#".repeat(full) + "-".repeat(CELLS - full);
  const left = rate > 0 ? `  ${duration(Math.ceil((total - done) / rate))} left` : "";
  return `${name}  ${bar}  ${print(done)} of ${print(total)}  ${pace}${left}`;
}

import { seededRandom } from "../simulation/dynamodb/seeded-random.ts";
import { GUARDING } from "./guarding.ts";
import { sourcesOf } from "./sources.ts";

type Options = {
  readonly seed: string;
  /** The number of changes to choose from all. */
  readonly sample: number | undefined;
  /** The number of changes to choose from each file. */
  readonly each: number | undefined;
  /** The number of changes to choose from each guarding file. By default, they are complete. */
  readonly guarding: number | undefined;
};

/**
 * Chooses some of the numbered changes, the same ones for the same seed. A larger sample contains a
 * smaller one of the same kind.
 */
export function sampleOf(
  numbers: readonly number[],
  fileOf: (number: number) => string,
  { seed, sample, each, guarding }: Options,
): readonly number[] {
  const random = seededRandom(seed);
  const choose = (from: readonly number[], count: number) =>
    from
      .map((number) => ({ number, at: random.fraction() }))
      .sort((a, b) => a.at - b.at)
      .slice(0, count)
      .map(({ number }) => number)
      .sort((a, b) => a - b);
  if (sample !== undefined) return choose(numbers, sample);
  if (each === undefined) return numbers;
  const isGuarding = new Set(sourcesOf(GUARDING));
  return [...Map.groupBy(numbers, fileOf)].flatMap(([file, own]) =>
    choose(own, isGuarding.has(file) ? (guarding ?? own.length) : each),
  );
}

import type { Loaded } from "../load.ts";
import { type Place, runLoad, startSeparateStack } from "../separate-stack.ts";
import type { Load } from "../target.ts";

export type PublishSizes = {
  readonly places: readonly Place[];
  readonly batches: readonly number[];
  readonly producers: readonly number[];
  readonly until: Load["until"];
  readonly warmUpMs: number;
};

export type PublishCase = Pick<Loaded, "eventsPerSecond" | "latencyMs"> & {
  readonly place: Place;
  /** The events of a request. */
  readonly n: number;
  readonly producers: number;
  /** Whether each request had an Idempotency-Key. */
  readonly idempotent: boolean;
  /** The batches that were put, won or lost, for each request. */
  readonly putsPerRequest: number;
};

/**
 * Publishes to one partition of a local stack: requests of each size, from each number of
 * producers, in memory and on disk, and on disk with an Idempotency-Key as well. Each case has an
 * empty stack, because the compaction of one case would slow the next one down.
 */
export async function measurePublishing(
  { places, batches, producers, until, warmUpMs }: PublishSizes,
  say: (line: string) => void,
): Promise<PublishCase[]> {
  const cases: PublishCase[] = [];
  for (const place of places) {
    for (const n of batches) {
      for (const count of producers) {
        for (const idempotent of place === "disk" ? [false, true] : [false]) {
          const stack = await startSeparateStack(place);
          try {
            const target = { ...(await stack.createStream("bench")), idempotent };
            const load = { target, producers: count, n, until, warmUpMs };
            const { eventsPerSecond, latencyMs } = await runLoad(load);
            const puts = await stack.counter("eventledger_append_puts_total");
            const events = await stack.counter("eventledger_events_published_total");
            const putsPerRequest = Math.round((puts / (events / n)) * 1_000) / 1_000;
            const way = { place, n, producers: count, idempotent };
            cases.push({ ...way, eventsPerSecond, latencyMs, putsPerRequest });
            const key = idempotent ? ", Idempotency-Key" : "";
            say(`${place}, ${count} x ${n}${key}: ${eventsPerSecond} events/s`);
          } finally {
            await stack.close();
          }
        }
      }
    }
  }
  return cases;
}

import type { Chains, Report } from "./chains.ts";
import type { Delivered, Line } from "./history.ts";

type Erased = { readonly until: number; readonly atMs: number };

/** A process may read an object of the archive for this long after it was replaced. */
const MEMORY_MS = 61_000;

/**
 * Checks that a reader that asks after an erasure gets nothing of what was erased, and that nothing
 * else is erased.
 */
export function checkErasures(
  lines: readonly Line[],
  chains: Chains,
  report: Report,
  { archived = false }: { readonly archived?: boolean | undefined },
): void {
  const began = new Map<string, number[]>();
  const erased = new Map<string, Erased[]>();
  const askedMs = new Map<number, number>();
  const idOf = (life: string, key: string) => `${life}/${key}`;

  const check = (
    { life, events }: { readonly life: string; readonly events: readonly Delivered[] },
    { call, atMs }: { readonly call: number; readonly atMs: number },
  ): void => {
    for (const [n, sequence, isErased] of events) {
      const [place] = chains.placesOf(n).filter((of) => of.life === life);
      const chain = place && chains.of(life, place.partition);
      const event = place && chain?.events[place.index];
      if (event === undefined) continue;
      const id = idOf(life, event.key);
      const where = `event ${n} at ${sequence} of ${life}, in answer ${call}`;
      const limitMs = (askedMs.get(call) ?? 0) - (archived ? MEMORY_MS : 0);
      const isTaken = erased
        .get(id)
        ?.some(({ until, atMs: doneMs }) => sequence < until && doneMs < limitMs);
      if (isTaken === true && isErased === undefined && event.dead !== true) {
        report("erased-read", atMs, where);
      }
      if (isErased !== true) continue;
      const tombstones = began.get(id) ?? [];
      const isCovered = tombstones.some((tombstone) =>
        chains.placesOf(tombstone).some((of) => of.life === life && of.sequence > sequence),
      );
      if (!isCovered) report("erased-else", atMs, where);
    }
  };

  for (const line of lines) {
    if (line.type === "invoke") askedMs.set(line.call, line.atMs);
    else if (line.type === "info" && line.op === "erasing") {
      const id = idOf(line.life, line.key);
      began.set(id, [...(began.get(id) ?? []), line.n]);
    } else if (line.type === "info" && line.op === "erased") {
      const id = idOf(line.life, line.key);
      erased.set(id, [...(erased.get(id) ?? []), line]);
    } else if (line.type === "ok" && "events" in line) {
      check(line, line);
    }
  }
}

import { createBounded } from "../kernel/bounded.ts";
import { ageMs, type Clock, type Stamp, takeStamp } from "../kernel/clock.ts";
import type { ApiKeyRow } from "../table/api-key.entity.ts";

/**
 * How long a key's row stays cached. This is less than the time limit for a revocation to take
 * effect.
 */
const MEMORY_MS = 20_000;
const KNOWN_MAX = 10_000;
const UNKNOWN_MAX = 1_000;

type Entry = { readonly stamp: Stamp; readonly row: Promise<ApiKeyRow | undefined> };

/**
 * Remembers keys for 20 s, so that a request costs no read of its key, and concurrent misses share
 * one read. Unknown ids are remembered as well, because otherwise the response time would
 * distinguish a wrong secret from an unknown id. Unknown ids are kept apart, so that invented ones
 * evict no real key.
 */
export function createKeyMemory(
  clock: Clock,
  load: (id: string) => Promise<ApiKeyRow | undefined>,
) {
  const known = createBounded<Entry>(KNOWN_MAX);
  const unknown = createBounded<Entry>(UNKNOWN_MAX);

  async function recall(id: string): Promise<ApiKeyRow | undefined> {
    const entry = known.get(id) ?? unknown.get(id);
    if (entry !== undefined && ageMs(clock, entry.stamp) < MEMORY_MS) return entry.row;
    // The stamp is taken before the read, so that a key that is revoked during the read does not
    // stay cached for longer.
    const asked = { stamp: takeStamp(clock), row: load(id) };
    known.set(id, asked);
    try {
      const row = await asked.row;
      if (row === undefined && known.get(id) === asked) {
        known.delete(id);
        unknown.set(id, asked);
      }
      return row;
    } catch (error) {
      if (known.get(id) === asked) known.delete(id);
      throw error;
    }
  }

  /** After a change made here, the next request reads the key again. */
  function forget(id: string): void {
    known.delete(id);
    unknown.delete(id);
  }

  return { recall, forget };
}

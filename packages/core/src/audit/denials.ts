import { createBounded } from "../kernel/bounded.ts";
import type { Clock } from "../kernel/clock.ts";
import { MINUTE_MS } from "../kernel/time.ts";

/**
 * The number of denied calls of a tenant that a process records at once, and how many more a
 * minute.
 */
const BURST = 20;
const PER_MINUTE = 6;
const TENANTS_MAX = 10_000;

type Tokens = { readonly left: number; readonly atMs: number; readonly leftOut: number };

/**
 * Limits the entries for denied calls, so that a client without rights cannot fill the audit stream
 * of its tenant. The next entry says how many were left out.
 */
export function createDenials(clock: Pick<Clock, "monotonic">) {
  const byTenant = createBounded<Tokens>(TENANTS_MAX);

  return {
    /** Returns how many calls were left out before this one, or undefined to leave it out too. */
    admit(tenant: string): { readonly leftOut: number } | undefined {
      const nowMs = clock.monotonic();
      const known = byTenant.get(tenant) ?? { left: BURST, atMs: nowMs, leftOut: 0 };
      const gained = ((nowMs - known.atMs) / MINUTE_MS) * PER_MINUTE;
      const left = Math.min(BURST, known.left + Math.max(0, gained));
      if (left < 1) {
        byTenant.set(tenant, { left, atMs: nowMs, leftOut: known.leftOut + 1 });
        return undefined;
      }
      byTenant.set(tenant, { left: left - 1, atMs: nowMs, leftOut: 0 });
      return { leftOut: known.leftOut };
    },
  };
}

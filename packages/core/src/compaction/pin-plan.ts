import { DAY_MS, HOUR_MS } from "../kernel/time.ts";
import { CLOCKS_APART_MS } from "../model/sightings.ts";
import { type Bootstrap, begunAt } from "../model/snapshot-progress.ts";
import type { Checkpoint, Pin } from "../table/checkpoint.entity.ts";

/** The maximum duration of a bootstrap. A slower one has to start over. */
const BOOTSTRAP_AGE_MAX_MS = DAY_MS;

/**
 * Returns whether a bootstrap may continue. It must have begun less than a day ago, and not in the
 * future. Pure.
 */
export const isOpen = (
  bootstrap: Pick<Bootstrap, "startedAt" | "difference">,
  nowMs: number,
): boolean =>
  nowMs - begunAt(bootstrap) <= BOOTSTRAP_AGE_MAX_MS &&
  begunAt(bootstrap) - nowMs <= CLOCKS_APART_MS;

/**
 * Returns the pins plus one for a bootstrap that starts at the checkpoint now. Undefined when an
 * existing pin covers it. Pins end at full hours, at least one hour plus the allowed clock skew
 * after the bootstrap's deadline. So there are never many more of them than hours in a day.
 */
export function planPins(checkpoint: Checkpoint, nowMs: number): readonly Pin[] | undefined {
  const open = openPins(checkpoint, nowMs);
  const until = (Math.ceil((nowMs + PIN_MS) / HOUR_MS) + 1) * HOUR_MS;
  const held = open.some((pin) => pin.until >= until && pin.at <= checkpoint.next);
  return held ? undefined : [...open, { at: checkpoint.next, until }];
}

const PIN_MS = BOOTSTRAP_AGE_MAX_MS + CLOCKS_APART_MS;

/**
 * Returns the open pins. A pin that ends later than any pin can is left out: its writer's clock was
 * wrong. `isOpen` refuses its bootstrap, so the pin is not needed.
 */
const openPins = ({ pins = [] }: Checkpoint, nowMs: number): readonly Pin[] =>
  pins.filter(
    ({ until }) => until > nowMs && until <= nowMs + PIN_MS + 2 * HOUR_MS + CLOCKS_APART_MS,
  );

/**
 * Returns the new floor: the first batch inside the retention (`edge`). The floor passes neither
 * the compacted position nor a pin. On an archived stream it does not pass the archive watermark
 * either. It never moves back.
 */
export const planFloor = (checkpoint: Checkpoint, edge: number, nowMs: number): number =>
  Math.max(
    checkpoint.floor,
    Math.min(
      edge,
      checkpoint.next,
      archivedBound(checkpoint),
      ...openPins(checkpoint, nowMs).map(({ at }) => at),
    ),
  );

/** Returns the archive watermark of an archived stream. Nothing after it may leave the table. */
const archivedBound = ({ archiving, archivedTo = 0 }: Checkpoint): number =>
  archiving === true ? archivedTo : Infinity;

import { MINUTE_MS } from "../../kernel/time.ts";
import type { MemberRow } from "../../table/member.entity.ts";

/**
 * So many rows of workers cost no more than one to read. Up to that number, rows of workers that
 * are gone wait for the store to expire them.
 */
export const ROWS_KEPT = 20;
/** The number of rows that one poll deletes. */
const ROWS_AT_ONCE = 25;
/**
 * How long a process must have seen a worker gone before it deletes the row. That is longer than
 * any poll waits, so a departure is known until the polls that began before it have ended.
 */
export const GONE_MS = 2 * MINUTE_MS;

/**
 * Returns the rows that a poll deletes, so that workers with ever new names do not make all polls
 * slower and dearer. `goneMs` says for how long this process has seen a row as it is, and its
 * worker gone. Pure.
 */
export function planForgetting(
  members: readonly MemberRow[],
  goneMs: (member: MemberRow) => number | undefined,
): readonly MemberRow[] {
  const gone = members.filter((member) => (goneMs(member) ?? 0) >= GONE_MS);
  return gone.slice(0, Math.min(ROWS_AT_ONCE, Math.max(0, members.length - ROWS_KEPT)));
}

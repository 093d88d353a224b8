import type { CursorContent } from "../cursor/cursor.ts";
import { LedgerError } from "../kernel/error.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { cursorAt, progressOf } from "../subscription/position/progress.ts";
import type { Parts } from "./parts.ts";

/**
 * Returns the error of a poll. If its position is older than the retention, the error also says
 * whether what changed since is known, and then has the cursor for a seek to `{ since }`.
 */
export async function offerDifference(
  { subscriptions, snapshots, cursors }: Parts,
  stream: LiveStream,
  name: string,
  { after, error }: { readonly after: CursorContent | undefined; readonly error: unknown },
): Promise<unknown> {
  if (!(error instanceof LedgerError) || error.code !== "retention-passed") return error;
  const { code, detail, facts } = error;
  if (facts.seek !== "bootstrap") return error;
  const state = await subscriptions.load(stream, name);
  const cursor = after ?? cursorAt(stream, state, progressOf(state), 0);
  try {
    const positions =
      cursor.since === undefined
        ? cursor.positions
        : await snapshots.positionsSince(stream, cursor);
    await snapshots.assertReachesBack(stream, positions);
  } catch (cause) {
    if (!(cause instanceof LedgerError) || cause.code !== "changes-passed") throw cause;
    return new LedgerError(code, { detail: `${detail} ${UNKNOWN}`, facts, cause: error });
  }
  const since = cursors.format(cursor);
  return new LedgerError(code, {
    detail: `${detail} ${KNOWN}`,
    facts: { ...facts, since },
    cause: error,
  });
}

const KNOWN =
  "The states that changed since this position are known: seek to `{ since }` with the cursor in `since`.";
const UNKNOWN = "What changed since this position is not known any more.";

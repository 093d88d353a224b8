import type { CursorContent } from "../../cursor/cursor.ts";
import type { Log } from "../../log/log.ts";
import { withLaterStarts } from "../../model/later-starts.ts";
import type { Bootstrap } from "../../model/snapshot-progress.ts";
import type { LiveStream } from "../../stream/live-streams.ts";

/**
 * Returns the snapshot that a cursor's reader has received, if it has one. Several readers may have
 * read its parts. No page shows the newest state that they have seen, but it is in the log by
 * now, so the state is exact once the log is read up to its present ends.
 */
export async function shownBy(
  log: Log,
  stream: LiveStream,
  { bootstrap }: Pick<CursorContent, "bootstrap">,
): Promise<Bootstrap | undefined> {
  if (bootstrap === undefined) return undefined;
  const { until, ...shown } = withLaterStarts(stream, bootstrap);
  if (until === undefined) return shown;
  const ends = await log.seek(stream, "latest");
  return { ...shown, exactFrom: ends.map(({ next }) => next) };
}

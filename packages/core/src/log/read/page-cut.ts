import { LIMITS } from "@eventledger/protocol";
import type { StoredEvent } from "../../model/event.ts";
import type { LogPage } from "./read.ts";

/**
 * Returns up to `limit` events of a page, filtered by `matches` if present, within the size of an
 * answer. The page is cut after the last of them, so it also covers the events left out before that
 * one. `batches` are those of the events.
 */
export function keepMatching(
  page: LogPage,
  { limit, matches }: { limit: number; matches: ((event: StoredEvent) => boolean) | undefined },
): { events: readonly StoredEvent[]; batches: readonly number[]; page: LogPage } {
  const wanted = page.entries.flatMap(({ event }, index) =>
    matches === undefined || matches(event) ? [index] : [],
  );
  const most = wanted.slice(0, limit).flatMap((index) => page.entries[index]?.event ?? []);
  const count = fittingCount(most);
  const overflow = wanted[count];
  return {
    events: most.slice(0, count),
    batches: wanted.slice(0, count).flatMap((index) => page.entries[index]?.batch ?? []),
    page: overflow === undefined ? page : cutPage(page, overflow),
  };
}

/**
 * Returns the page with only its first `count` entries. Every partition goes back to its first
 * omitted event. The next page starts with the first partition that had no room in this one.
 */
export function cutPage(page: LogPage, count: number): LogPage {
  const { entries, runs } = page;
  const next = entries[count];
  if (next === undefined) return page;
  const served = entries[count - 1]?.partition === next.partition;
  const nextPartition = (next.partition + (served ? 1 : 0)) % runs.length;
  const cut = [...runs];
  for (const { event, partition, batch } of entries.slice(count).reverse()) {
    cut[partition] = {
      position: { batch, next: event.sequence },
      atEnd: false,
      nextPublishedAt: event.publishedAt,
    };
  }
  return { entries: entries.slice(0, count), runs: cut, nextPartition };
}

/**
 * An upper bound for the size of an event in a page, in any format. Its attributes are JSON, which
 * may use six bytes for one. The CloudEvents format repeats none of them, and adds its required
 * attributes.
 */
export const printedBytes = ({ data, ...attributes }: StoredEvent): number =>
  Buffer.byteLength(data) + Buffer.byteLength(JSON.stringify(attributes)) + ADDED_BYTES;

/**
 * A larger bound, which does not need the printed text: a UTF-16 unit takes at most three bytes of
 * UTF-8, or six if JSON escapes it. Most pages fit by this bound.
 */
function roughBytes({ data, id, key, type = "", time = "", headers = {} }: StoredEvent): number {
  let units = id.length + key.length + type.length + time.length;
  for (const name in headers) units += name.length + (headers[name]?.length ?? 0) + HEADER_UNITS;
  return 3 * data.length + 6 * units + 2 * ADDED_BYTES;
}

/** The quotes, the colon and the comma of a header. */
const HEADER_UNITS = 6;

/**
 * Attribute names, a time as text, and the additions of a CloudEvent: version, source, type,
 * sequence.
 */
export const ADDED_BYTES = 400;

/**
 * Returns how many of these events fit into a page. The first one always fits: no event is as large
 * as a page, and a reader must make progress.
 */
function fittingCount(
  events: readonly StoredEvent[],
  bytesMax: number = LIMITS.pageBytesMax,
): number {
  if (events.reduce((sum, event) => sum + roughBytes(event), 0) <= bytesMax) return events.length;
  let bytes = 0;
  const over = events.findIndex((event) => {
    bytes += printedBytes(event);
    return bytes > bytesMax;
  });
  return over === -1 ? events.length : Math.max(1, over);
}

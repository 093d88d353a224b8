import { LedgerProblem } from "../errors.ts";
import type { LedgerEvent } from "../events/event.ts";
import type { Call } from "../http/call.ts";
import type { Change, Mark, Put } from "./store.ts";

/** Begins a new round. Readers see the old one in the meantime. */
export const nextRound = (of: string, mark: Mark | undefined): Mark => ({
  of,
  version: (mark?.version ?? 0) + 1,
  round: (mark?.round ?? 0) + 1,
  shown: mark?.shown ?? 0,
  life: "",
  listing: null,
  follow: null,
  ready: false,
});

/** A page of the list of current states. */
export type ListPage = {
  readonly events: readonly LedgerEvent[];
  /** Where the list continues. */
  readonly cursor: string | null;
  /** Where the parts of the list continue, on the page that divides it. */
  readonly parts?: readonly string[] | undefined;
  /** Where the log continues after the list. */
  readonly follow: string;
  readonly life: string;
};

export type LogPage = {
  readonly events: readonly LedgerEvent[];
  readonly cursor: string;
  readonly caughtUp: boolean;
  readonly life: string;
};

export type ToRow<Row> = (event: LedgerEvent) => Row | undefined;

/**
 * Returns the changes of a page, or undefined if the stream has a new life. A round builds the copy
 * once. The first page of the log that reaches the end completes the round. Readers see it from
 * then on, and the rows of the old round are deleted.
 */
export function applyPage<Row>(
  mark: Mark,
  page: ListPage | LogPage,
  toRow: ToRow<Row>,
): Change<Row> | undefined {
  if (mark.life !== "" && mark.life !== page.life) return undefined;
  const isList = "follow" in page;
  const completes = !isList && !mark.ready && page.caughtUp;
  const next: Mark = {
    ...mark,
    version: mark.version + 1,
    life: page.life,
    listing: isList ? page.cursor : null,
    follow: isList ? page.follow : page.cursor,
    ...(completes && { ready: true, shown: mark.round }),
  };
  return { mark: next, ...fold(page.events, toRow), sweep: completes };
}

/** Returns pages of the parts of a list as one page. Its cursor has those of all parts. */
export function joinPages(pages: readonly ListPage[]): ListPage {
  const events = pages.flatMap((page) => page.events);
  const cursors = pages.flatMap(({ parts, cursor }) => parts ?? cursor ?? []);
  return { ...(pages[0] as ListPage), events, cursor: cursors.join(BETWEEN) || null };
}

const LIMIT = 500;
/** The number of parts in which a long list is read, all at the same time. */
const PARTS = 4;

/**
 * Returns the queries of the next page of each part that is still to be listed. A list begins with
 * a page that divides it. If the log no longer reaches back to the position of the copy, the list
 * has only what changed since then.
 */
export const nextQueries = ({ listing, follow }: Mark): Call["query"][] =>
  listing?.split(BETWEEN).map((cursor) => ({ cursor, limit: LIMIT })) ?? [
    { limit: LIMIT, ...(follow === null ? { parts: PARTS } : { since: follow }) },
  ];

/** No cursor contains it. */
const BETWEEN = " ";

/** Returns whether a change must be stored: each page with events moves its cursor. */
export const isChange = (before: Mark, { mark, sweep }: Change<unknown>): boolean =>
  sweep || mark.listing !== before.listing || mark.follow !== before.follow;

/** Returns whether the list of current states is still to be read. */
export const isListing = (mark: Mark | undefined): boolean =>
  !mark?.follow || mark.listing !== null;

/** Reduces events to the last one of each key. */
function fold<Row>(
  events: readonly LedgerEvent[],
  toRow: ToRow<Row>,
): { readonly puts: readonly Put<Row>[]; readonly deletes: readonly string[] } {
  const puts: Put<Row>[] = [];
  const deletes: string[] = [];
  for (const event of new Map(events.map((each) => [each.key, each])).values()) {
    const { key, sequence } = event;
    const row = event.isDeletion ? undefined : toRow(event);
    if (row === undefined) deletes.push(key);
    else puts.push({ key, row, sequence });
  }
  return { puts, deletes };
}

/**
 * Returns whether the position of the copy no longer exists, so that the copy must be built from
 * the start.
 */
export const isPlaceGone = (error: unknown): boolean =>
  LedgerProblem.is(
    error,
    "invalid-cursor",
    "retention-passed",
    "bootstrap-expired",
    "changes-passed",
  );

/** Returns undefined if the log no longer reaches back to a position. Throws any other error. */
export function unlessPassed(error: unknown): undefined {
  if (!LedgerProblem.is(error, "retention-passed")) throw error;
}

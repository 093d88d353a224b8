import { LedgerProblem } from "../errors.ts";
import type { LedgerEvent } from "../events/event.ts";
import type { Change, Mark, Put } from "./store.ts";

/** The mark of an empty copy. */
const NOTHING: Mark = {
  version: 0,
  of: "",
  life: "",
  round: 0,
  shown: 0,
  listing: null,
  follow: null,
  ready: false,
};

/** Begins a new round. Readers see the old one meanwhile. */
export const nextRound = (of: string, mark: Mark = NOTHING): Mark => ({
  ...NOTHING,
  of,
  version: mark.version + 1,
  round: mark.round + 1,
  shown: mark.shown,
});

export type ListPage = {
  readonly items: readonly LedgerEvent[];
  readonly cursor: string | null;
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

/** The changes of a page of current states, or undefined if the stream has a new life. */
export function applyList<Row>(
  mark: Mark,
  page: ListPage,
  toRow: ToRow<Row>,
): Change<Row> | undefined {
  if (mark.life !== "" && mark.life !== page.life) return undefined;
  const { puts } = fold(page.items, toRow);
  return {
    mark: {
      ...mark,
      version: mark.version + 1,
      life: page.life,
      listing: page.cursor,
      follow: page.follow,
    },
    // A key without a row here has none from another page either, because the round is new.
    puts,
    deletes: [],
    sweep: false,
  };
}

/**
 * The changes of a page of the log, or undefined if the stream has a new life. The first page that
 * reaches the end completes the round: readers see it from then on, and the rows of the old round
 * are deleted.
 */
export function applyLog<Row>(
  mark: Mark,
  page: LogPage,
  toRow: ToRow<Row>,
): Change<Row> | undefined {
  if (mark.life !== page.life) return undefined;
  const completes = !mark.ready && page.caughtUp;
  const next: Mark = {
    ...mark,
    version: mark.version + 1,
    follow: page.cursor,
    ready: mark.ready || page.caughtUp,
    shown: completes ? mark.round : mark.shown,
  };
  return { mark: next, ...fold(page.events, toRow), sweep: completes };
}

/** Whether a change has anything to store. */
export const isChange = (before: Mark, { mark, puts, deletes }: Change<unknown>): boolean =>
  puts.length > 0 ||
  deletes.length > 0 ||
  mark.follow !== before.follow ||
  mark.ready !== before.ready;

/** The last event of each key decides. */
function fold<Row>(
  events: readonly LedgerEvent[],
  toRow: ToRow<Row>,
): { readonly puts: readonly Put<Row>[]; readonly deletes: readonly string[] } {
  const puts = new Map<string, Put<Row>>();
  const deletes = new Set<string>();
  for (const event of events) {
    const { key, sequence } = event;
    const row = event.isDeletion ? undefined : toRow(event);
    if (row === undefined) {
      puts.delete(key);
      deletes.add(key);
    } else {
      deletes.delete(key);
      puts.set(key, { key, row, sequence });
    }
  }
  return { puts: [...puts.values()], deletes: [...deletes] };
}

/**
 * Whether the position of the copy no longer exists, so that the copy has to be built from the
 * start.
 */
export const isPlaceGone = (error: unknown): boolean =>
  LedgerProblem.is(error, "invalid-cursor", "retention-passed", "bootstrap-expired");

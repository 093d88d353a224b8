import { useEffect, useMemo, useState } from "preact/hooks";
import { LedgerProblem, LedgerUnreachable } from "../../../sdk/src/index.ts";
import { api, type Event } from "../api.ts";
import { type Log, openLog } from "../events/log.ts";
import { readLogQuery } from "../events/query.ts";
import { clock, count, counted, goneWord, moment } from "../format.ts";
import { Empty, Failure, Skeleton, Stale, Tag } from "../parts/basics.tsx";
import { memo } from "../parts/memo.tsx";
import { endIfRefused } from "../parts/refused.ts";
import { Windowed } from "../parts/windowed.tsx";
import { place, show } from "../place.ts";
import { can, me } from "../session.ts";
import { glimpse } from "../visible.ts";
import { EventPanel } from "./event-panel.tsx";
import { EventsToolbar } from "./events-toolbar.tsx";
import { PublishDialog } from "./publish.tsx";

const ROW_HEIGHT = 32;
const DATA_CHARS = 240;

/** Shows the events of a stream: newest first and live, or from a place on. */
export function EventsView({ stream }: { stream: string }) {
  const { query } = place.value;
  const { order, at, last, type, key, prefix, find, header } = query;
  const wanted = JSON.stringify([stream, order, at, last, type, key, prefix, find, header]);
  // `wanted` contains all parts of the address that the log depends on.
  const log = useMemo(() => {
    const browse = (of: Parameters<typeof api.events>[1], signal: AbortSignal) =>
      api.events(stream, of, signal);
    return openLog(
      {
        browse,
        open: me.value?.streaming ? (of, signal) => api.openEvents(stream, of, signal) : undefined,
        readPage: api.readPage,
        waitSeconds: me.value?.waitSecondsAdvised ?? 0,
        onRefused: endIfRefused,
        isHidden: () => document.hidden,
      },
      readLogQuery(query),
      query.live === "off",
    );
  }, [wanted]);
  useEffect(() => {
    void log.more();
    return log.close;
  }, [log]);
  log.paused.value = query.live === "off";

  const [publishing, setPublishing] = useState<Partial<Event> | undefined>();
  const chosen = query.seq === undefined ? undefined : Number(query.seq);
  return (
    <>
      <EventsToolbar query={query} />
      <div class={chosen === undefined ? "split" : "split open"}>
        <div class="stack">
          <LogList log={log} stream={stream} chosen={chosen} chosenKey={query.of} />
          <Foot log={log} isSearch={!!(find || header)} onPublish={() => setPublishing({})} />
        </div>
        {chosen !== undefined && (
          <EventPanel
            key={`${query.of} ${chosen}`}
            stream={stream}
            sequence={chosen}
            eventKey={query.of}
            known={knownEvent(log, chosen, query.of)}
            onPublish={setPublishing}
          />
        )}
      </div>
      {publishing !== undefined && (
        <PublishDialog stream={stream} like={publishing} onClose={() => setPublishing(undefined)} />
      )}
    </>
  );
}

const knownEvent = (log: Log, sequence: number, key: string | undefined): Event | undefined =>
  log.state.peek().rows.find((event) => isSame(event, sequence, key));

const isSame = (event: Event, sequence: number, key: string | undefined): boolean =>
  event.sequence === sequence && (key === undefined || event.key === key);

type ListProps = {
  readonly log: Log;
  readonly stream: string;
  readonly chosen: number | undefined;
  readonly chosenKey: string | undefined;
};

function LogList({ log, stream, chosen, chosenKey }: ListProps) {
  const { rows, isReading, isComplete, error, added, at: heardAt } = log.state.value;
  const [cursor, setCursor] = useState<Event | undefined>();
  const at = useMemo(() => {
    if (cursor !== undefined) return rows.indexOf(cursor);
    return chosen === undefined ? -1 : rows.findIndex((row) => isSame(row, chosen, chosenKey));
  }, [cursor, chosen, chosenKey, rows.length, added]);

  if (rows.length === 0) {
    if (error !== undefined) return <Failure error={error} />;
    if (isReading || !isComplete) return <Skeleton rows={8} />;
    return (
      <Empty title="No event here">
        <p>
          No published event matches.
          {log.follows && !log.paused.value && " New events appear by themselves."}
        </p>
      </Empty>
    );
  }

  const open = (event: Event) => {
    setCursor(event);
    show({ seq: event.sequence, of: event.key });
  };
  const move = (to: number) => {
    const event = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (event === undefined) return;
    setCursor(event);
    if (chosen !== undefined) show({ seq: event.sequence, of: event.key }, { replace: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const target = targetOf(event.key, at, rows.length);
    if (target !== undefined) move(target);
    else if (event.key === "Enter" && rows[at] !== undefined) open(rows[at] as Event);
    else if (event.key === "Escape" && chosen !== undefined)
      show({ seq: undefined, of: undefined });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      {LedgerUnreachable.is(error) ? (
        <Stale error={error} at={heardAt} />
      ) : (
        <Failure error={error} />
      )}
      <Windowed
        className="log"
        label={`Events of ${stream}`}
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        active={at}
        activeId={at < 0 ? undefined : rowId(at)}
        added={added}
        onKeyDown={onKeyDown}
        onNearEnd={() => void log.more()}
        head={<Head />}
        rows={(first, end) =>
          rows
            .slice(first, end)
            .map((event, index) => (
              <Row
                key={`${event.sequence} ${event.key}`}
                event={event}
                index={first + index}
                isActive={first + index === at}
                onOpen={open}
              />
            ))
        }
      />
    </>
  );
}

const rowId = (index: number): string => `event-${index}`;

/** Returns the row that a key leads to, or undefined. */
function targetOf(key: string, at: number, length: number): number | undefined {
  if (key === "j" || key === "ArrowDown") return at + 1;
  if (key === "k" || key === "ArrowUp") return Math.max(0, at - 1);
  if (key === "PageDown") return at + 15;
  if (key === "PageUp") return at - 15;
  if (key === "Home") return 0;
  return key === "End" ? length - 1 : undefined;
}

const Head = () => (
  <div class="head" role="row" aria-rowindex={1}>
    <span role="columnheader">Sequence</span>
    <span role="columnheader">Time</span>
    <span role="columnheader">Key</span>
    <span role="columnheader">Type</span>
    <span role="columnheader" class="glimpse">
      Data
    </span>
  </div>
);

type RowProps = {
  readonly event: Event;
  readonly index: number;
  readonly isActive: boolean;
  readonly onOpen: (event: Event) => void;
};

const Row = memo<RowProps>(DrawnRow, "event", "index", "isActive");

function DrawnRow({ event, index, isActive, onOpen }: RowProps) {
  const { sequence, publishedAt, key, type, data } = event;
  const time = clock(publishedAt);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys of all its rows
    <div
      class="row"
      id={rowId(index)}
      role="row"
      // The list itself has the focus and names its active row.
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={isActive}
      onClick={() => onOpen(event)}
    >
      <span role="gridcell">{count(sequence)}</span>
      <span role="gridcell" title={`${moment(publishedAt)} (${publishedAt})`}>
        {time.slice(0, 8)}
        <span class="wide-only soft">{time.slice(8)}</span>
      </span>
      <span role="gridcell" class="mono">
        {glimpse(key, DATA_CHARS)}
      </span>
      <span role="gridcell">{type === undefined ? "" : glimpse(type, DATA_CHARS)}</span>
      <span role="gridcell" class="glimpse">
        {data === null ? <Tag tone="warn">{goneWord(event)}</Tag> : glimpse(data, DATA_CHARS)}
      </span>
    </div>
  );
}

type FootProps = {
  readonly log: Log;
  /** True when some of the received events are not shown. */
  readonly isSearch: boolean;
  readonly onPublish: () => void;
};

/** Shows how far the list has read, and continues to read. */
function Foot({ log, isSearch, onPublish }: FootProps) {
  const { rows, looked, edge, isComplete, isReading, error } = log.state.value;
  const isPaused = log.paused.value;
  const isFiltered = isSearch || looked !== rows.length;
  if (LedgerProblem.is(error, "stream-not-found", "forbidden")) return null;
  return (
    <div class="log-foot" tabIndex={-1}>
      <span role="status">
        {isFiltered
          ? `${counted(rows.length, "event")} found, looked at ${count(looked)}`
          : counted(rows.length, "event")}
        {edge !== undefined && `, to ${moment(edge)}`}
        {isComplete && ", all there are"}
      </span>
      {!isComplete && (
        <button type="button" aria-disabled={isReading} onClick={() => void log.more()}>
          {isReading ? "Looking" : error === undefined ? "Go on" : "Try again"}
        </button>
      )}
      {log.follows && (
        <button
          type="button"
          data-shortcut="l"
          aria-pressed={!isPaused}
          onClick={() => show({ live: isPaused ? undefined : "off" }, { replace: true })}
        >
          <span class={isPaused ? "live" : "live on"}>{isPaused ? "Paused" : "Live"}</span>
        </button>
      )}
      {can("publish") && (
        <button type="button" data-shortcut="p" onClick={onPublish}>
          Publish an event
        </button>
      )}
    </div>
  );
}

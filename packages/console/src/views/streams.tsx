import { useState } from "preact/hooks";
import { api, type Lag, type StreamInfo } from "../api.ts";
import { bytes, count, counted, duration, rate } from "../format.ts";
import { Ago, Empty, Failure, Name, Skeleton, Stale, Tag } from "../parts/basics.tsx";
import { useLoad } from "../parts/load.ts";
import { type Column, Rows } from "../parts/rows.tsx";
import { href, place, show } from "../place.ts";
import { eventCounts, ratesOf, sparkline } from "../samples.ts";
import { can, me } from "../session.ts";
import { visible } from "../visible.ts";
import { FirstUse } from "./first-use.tsx";
import { StreamDialog } from "./stream-dialog.tsx";
import { ASKED_A_TURN, type KnownLag, useWorstLags } from "./worst-lags.ts";

/** Shows all streams, with the facts that an operator needs first. */
export function StreamsView() {
  return can("read") ? <AllStreams /> : <NoRight />;
}

function NoRight() {
  return (
    <>
      <h1>Streams</h1>
      <Empty title="This key may not look at streams">
        <p>
          It may {me.value?.scopes.join(" and ")}. To look at streams and events, sign in with a key
          that has the right <code>read</code>.
        </p>
      </Empty>
    </>
  );
}

function AllStreams() {
  const [creating, setCreating] = useState(false);
  const { data, error, at, reload } = useLoad("streams", api.streams, 4_000);
  for (const { name, life, eventCount } of data?.items ?? []) {
    if (eventCount !== undefined) eventCounts.add(`${life}/${name}`, eventCount, at);
  }
  if (data === undefined) return error === undefined ? <Skeleton /> : <Failure error={error} />;
  const { items, more } = data;
  const isUnused = items.every(({ eventCount }) => eventCount === 0);
  const mayCreate = can("admin", { unbound: true });
  const find = place.value.query.find ?? "";
  const shown = items.filter(({ name, description }) => `${name} ${description}`.includes(find));
  return (
    <>
      <div class="heading">
        <h1>Streams</h1>
        {mayCreate && (
          <div class="actions">
            <button type="button" onClick={() => setCreating(true)}>
              Create a stream
            </button>
          </div>
        )}
      </div>
      <Stale error={error} at={at} />
      {isUnused && <FirstUse streams={items} onCreated={reload} />}
      {items.length > 8 && (
        <input
          type="search"
          aria-label="Find streams"
          placeholder="Find streams"
          data-search
          value={find}
          onInput={(e) => show({ find: e.currentTarget.value }, { replace: true })}
        />
      )}
      {items.length > 0 && shown.length === 0 && <Empty title="No stream has this in its name" />}
      {shown.length > 0 && <Table streams={shown} />}
      {more && <p class="soft">There are more streams than this page shows.</p>}
      {creating && <StreamDialog onClose={() => setCreating(false)} onDone={reload} />}
    </>
  );
}

/** More rows are not drawn. The search finds the others. */
const ROWS_MAX = 200;

function Table({ streams }: { streams: readonly StreamInfo[] }) {
  const shown = streams.slice(0, ROWS_MAX);
  const hasArchive = shown.some(({ archive }) => archive !== undefined);
  const followed = shown.filter(({ subscriptionCount = 1 }) => subscriptionCount > 0);
  const lags = useWorstLags(followed.map(({ name }) => name));
  const asked = followed.filter(({ name }) => lags.has(name)).length;
  return (
    <>
      <Rows
        label="Streams"
        items={shown}
        keyOf={({ name }) => name}
        columns={columnsOf(lags, hasArchive)}
      />
      {streams.length > ROWS_MAX && (
        <p class="soft">
          The first {count(ROWS_MAX)} of {count(streams.length)} streams are shown. The search finds
          the others.
        </p>
      )}
      {followed.length > ASKED_A_TURN && (
        <p class="soft">
          The worst lag of {count(asked)} of {count(followed.length)} streams is known.{" "}
          {ASKED_A_TURN} streams are asked at a time, those whose lag is oldest first.
        </p>
      )}
    </>
  );
}

const columnsOf = (
  lags: ReadonlyMap<string, KnownLag>,
  hasArchive: boolean,
): readonly (Column<StreamInfo> | undefined)[] => [
  { title: "Stream", cell: (stream) => <StreamName stream={stream} />, className: "names" },
  { title: "Rate", cell: ({ life, name }) => <Rate of={`${life}/${name}`} /> },
  {
    title: "Events",
    end: true,
    wideOnly: true,
    cell: ({ eventCount }) => shownOr(eventCount, count),
  },
  { title: "Bytes", end: true, wideOnly: true, cell: (stream) => shownOr(stream.bytes, bytes) },
  { title: "Last event", end: true, cell: ({ lastEventAt }) => <Ago at={lastEventAt} /> },
  {
    title: "Worst lag",
    end: true,
    cell: (stream) => <WorstLag stream={stream} known={lags.get(stream.name)} />,
  },
  {
    title: "Compaction lag",
    end: true,
    wideOnly: true,
    cell: (stream) => <CompactionLag stream={stream} />,
  },
  hasArchive
    ? {
        title: "Archive lag",
        end: true,
        wideOnly: true,
        cell: ({ archive }) => <ArchiveLag lag={archive?.lag} />,
      }
    : undefined,
];

const shownOr = (value: number | undefined, print: (value: number) => string): string =>
  value === undefined ? "–" : print(value);

function StreamName({ stream: { name, description } }: { stream: StreamInfo }) {
  return (
    <>
      <a href={href(["streams", name, "events"])} data-row>
        <Name>{name}</Name>
      </a>
      {description !== "" && (
        <div class="soft small clip" title={visible(description)}>
          {visible(description)}
        </div>
      )}
    </>
  );
}

type WorstProps = { readonly stream: StreamInfo; readonly known: KnownLag | undefined };

function WorstLag({ stream: { name: stream, subscriptionCount = 0 }, known }: WorstProps) {
  if (subscriptionCount === 0) return <span class="soft">no subscription</span>;
  if (known?.worst === undefined) return <span class="soft">–</span>;
  const { name, lag, among } = known.worst;
  if (lag.events === 0) return <span class="soft">none</span>;
  const which = among < subscriptionCount ? `, of the first ${count(among)} by name` : "";
  const title = `${name}: ${counted(lag.events, "event")}${which}`;
  return (
    <a href={href(["streams", stream, "subscriptions", name])} title={title}>
      {count(lag.events)} · {duration(lag.seconds)}
    </a>
  );
}

/** Shows the rate since the page was opened, as a line and as the latest number. */
export function Rate({ of }: { of: string }) {
  const rates = ratesOf(eventCounts.of(of));
  const latest = rates.at(-1);
  const line = sparkline(rates, 96, 24);
  return (
    <div class="rate">
      <svg
        class="spark wide-only"
        viewBox="0 0 96 24"
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {rates.length > 1 && <path class="under" d={`${line} L96 24 L0 24 Z`} />}
        <path d={line} />
      </svg>
      <span>{latest === undefined ? "–" : rate(latest)}</span>
    </div>
  );
}

/** Compaction usually takes a few seconds. Beyond this time it counts as late. */
const LATE_SECONDS = 120;

export function CompactionLag({ stream }: { stream: StreamInfo }) {
  const { compaction, watermarkLag } = stream;
  if (compaction === "none") return <span class="soft">off</span>;
  if (watermarkLag === undefined) return <span>–</span>;
  if (watermarkLag.events === 0) return <span class="soft">none</span>;
  const text = `${count(watermarkLag.events)} · ${duration(watermarkLag.seconds)}`;
  return watermarkLag.seconds > LATE_SECONDS ? <Tag tone="warn">{text}</Tag> : <span>{text}</span>;
}

export function ArchiveLag({ lag }: { lag: Lag | undefined }) {
  if (lag === undefined) return <span class="soft">no archive</span>;
  if (lag.events === 0) return <span class="soft">none</span>;
  return (
    <span>
      {count(lag.events)} · {duration(lag.seconds)}
    </span>
  );
}

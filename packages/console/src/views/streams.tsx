import { useState } from "preact/hooks";
import { api, type Lag, type StreamInfo, type Worst } from "../api.ts";
import { bytes, count, counted, duration, rate } from "../format.ts";
import { Ago, Empty, Failure, Name, Skeleton, Stale, Tag } from "../parts/basics.tsx";
import { useLoad } from "../parts/load.ts";
import { href, place, show } from "../place.ts";
import { eventCounts, ratesOf, sparkline } from "../samples.ts";
import { can } from "../session.ts";
import { FirstUse } from "./first-use.tsx";
import { StreamDialog } from "./stream-dialog.tsx";

/** All streams, with what an operator looks at first. */
export function StreamsView() {
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

/** The lags of subscriptions take a request for each stream, so only so many are asked. */
const LAGS_MAX = 30;
const LAGS_EVERY_MS = 15_000;

function Table({ streams }: { streams: readonly StreamInfo[] }) {
  const hasArchive = streams.some(({ archive }) => archive !== undefined);
  const followed = streams.filter(({ subscriptionCount = 1 }) => subscriptionCount > 0);
  const names = followed.slice(0, LAGS_MAX).map(({ name }) => name);
  const lags = useLoad(
    `lags ${names.join(" ")}`,
    (signal) => api.worstLags(names, signal),
    LAGS_EVERY_MS,
  );
  return (
    <section class="table" tabIndex={0} aria-label="Streams">
      <table>
        <thead>
          <tr>
            <th>Stream</th>
            <th>Rate</th>
            <th class="end wide-only">Events</th>
            <th class="end wide-only">Bytes</th>
            <th class="end">Last event</th>
            <th class="end">Worst lag</th>
            <th class="end wide-only">Compaction lag</th>
            {hasArchive && <th class="end wide-only">Archive lag</th>}
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => (
            <Row
              key={stream.name}
              stream={stream}
              worst={lags.data?.get(stream.name)}
              hasArchive={hasArchive}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}

type RowProps = {
  readonly stream: StreamInfo;
  readonly worst: Worst | undefined;
  readonly hasArchive: boolean;
};

function Row({ stream, worst, hasArchive }: RowProps) {
  const { name, description, life, eventCount, lastEventAt, subscriptionCount } = stream;
  return (
    <tr>
      <td>
        <a href={href(["streams", name, "events"])} data-row>
          <Name>{name}</Name>
        </a>
        {description !== "" && <div class="soft small clip">{description}</div>}
      </td>
      <td>
        <Rate of={`${life}/${name}`} />
      </td>
      <td class="end wide-only">{eventCount === undefined ? "–" : count(eventCount)}</td>
      <td class="end wide-only">{stream.bytes === undefined ? "–" : bytes(stream.bytes)}</td>
      <td class="end">
        <Ago at={lastEventAt} />
      </td>
      <td class="end">
        {worst === undefined ? (
          <span class="soft">{subscriptionCount === 0 ? "no subscription" : "–"}</span>
        ) : (
          <WorstLag stream={name} worst={worst} />
        )}
      </td>
      <td class="end wide-only">
        <CompactionLag stream={stream} />
      </td>
      {hasArchive && (
        <td class="end wide-only">
          <ArchiveLag lag={stream.archive?.lag} />
        </td>
      )}
    </tr>
  );
}

function WorstLag({ stream, worst: { name, lag } }: { stream: string; worst: Worst }) {
  const title = `${name}: ${counted(lag.events, "event")}`;
  if (lag.events === 0) return <span class="soft">none</span>;
  return (
    <a href={href(["streams", stream, "subscriptions", name])} title={title}>
      {count(lag.events)} · {duration(lag.seconds)}
    </a>
  );
}

/** The rate since the page was opened, as a line and as the latest number. */
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

/** The compaction is late when it takes longer than its usual few seconds. */
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

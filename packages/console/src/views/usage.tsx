import { api, type UsageEntry } from "../api.ts";
import { bytes, count, day, moment } from "../format.ts";
import { Empty, Failure, Name, Skeleton } from "../parts/basics.tsx";
import { useLoad } from "../parts/load.ts";
import { Rows } from "../parts/rows.tsx";
import { place, show } from "../place.ts";
import { Plot } from "./lag-over-time.tsx";

const BY = ["stream", "key", "tenant"] as const;
const STEPS = ["day", "hour"] as const;

/** Shows what streams, keys or tenants used, as a plot and as a table. */
export function UsageView() {
  const { query } = place.value;
  const by = BY.find((each) => each === query.by) ?? "stream";
  const step = STEPS.find((each) => each === query.step) ?? "day";
  const load = (signal: AbortSignal) => api.usage({ by, step }, signal);
  const { data, error } = useLoad(`usage ${by} ${step}`, load);
  return (
    <>
      <div class="heading">
        <h1>Usage</h1>
        <div class="actions">
          <Choice label="Of each" of={BY} value={by} onChange={(to) => show({ by: to })} />
          <Choice label="By" of={STEPS} value={step} onChange={(to) => show({ step: to })} />
        </div>
      </div>
      {data === undefined && (error === undefined ? <Skeleton /> : <Failure error={error} />)}
      {data !== undefined && <Used entries={data.items} by={by} step={step} />}
      {data?.more && <p class="soft">These are the first entries. The API lists all of them.</p>}
    </>
  );
}

type ChoiceProps<T extends string> = {
  readonly label: string;
  readonly of: readonly T[];
  readonly value: T;
  onChange(to: string): void;
};

const Choice = <T extends string>({ label, of, value, onChange }: ChoiceProps<T>) => (
  <label>
    {label}{" "}
    <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {of.map((each) => (
        <option key={each}>{each}</option>
      ))}
    </select>
  </label>
);

type UsedProps = {
  readonly entries: readonly UsageEntry[];
  readonly by: (typeof BY)[number];
  readonly step: (typeof STEPS)[number];
};

function Used({ entries, by, step }: UsedProps) {
  if (entries.length === 0) {
    return (
      <Empty title="Nothing was used">
        <p>Published events appear here once they are compacted, normally within seconds.</p>
      </Empty>
    );
  }
  const subject = ({ stream, key, tenant }: UsageEntry) => stream ?? key ?? tenant ?? "";
  const plotted = published(entries);
  const stored = ({ stored: of }: UsageEntry) =>
    of === undefined ? 0 : of.hotBytes + of.compactedBytes + of.archivedBytes;
  return (
    <>
      {plotted.length > 1 && (
        <section class="card" aria-label="Published events">
          <header>
            <h2>Published events</h2>
          </header>
          <Plot readings={plotted} />
        </section>
      )}
      <Rows
        label="Usage"
        items={entries.toReversed()}
        keyOf={(entry) => `${entry.time} ${subject(entry)}`}
        columns={[
          { title: titled(by), cell: (entry) => <Name>{subject(entry)}</Name>, className: "names" },
          {
            title: titled(step),
            cell: ({ time }) => (step === "day" ? time.slice(0, day(time).length) : moment(time)),
          },
          { title: "Requests", end: true, cell: ({ requests }) => count(requests) },
          { title: "Published", end: true, cell: (entry) => count(entry.published.events) },
          { title: "Bytes", end: true, cell: (entry) => bytes(entry.published.bytes) },
          { title: "Delivered", end: true, cell: (entry) => count(entry.delivered.events) },
          by === "key"
            ? undefined
            : { title: "Stored", end: true, cell: (entry) => bytes(stored(entry)) },
        ]}
      />
    </>
  );
}

const titled = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

/** Adds up the published events of all subjects, by time. */
function published(entries: readonly UsageEntry[]) {
  const sums = new Map<string, number>();
  for (const { time, published: of } of entries) {
    sums.set(time, (sums.get(time) ?? 0) + of.events);
  }
  return [...sums]
    .map(([time, value]) => ({ at: Date.parse(time), value }))
    .sort((a, b) => a.at - b.at);
}

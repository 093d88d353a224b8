import { useState } from "preact/hooks";
import { api, type Lag, type SubscriptionInfo } from "../api.ts";
import { count, counted, duration } from "../format.ts";
import { Bar, Empty, Failure, Name, Skeleton, Stale, Tag } from "../parts/basics.tsx";
import { useLoad } from "../parts/load.ts";
import { Rows } from "../parts/rows.tsx";
import { href } from "../place.ts";
import { lags } from "../samples.ts";
import { can } from "../session.ts";
import { NewSubscriptionDialog } from "./subscription-dialog.tsx";

/** Shows the subscriptions of a stream, with those that lag most at the top. */
export function SubscriptionsView({ stream }: { stream: string }) {
  const [creating, setCreating] = useState(false);
  const { data, error, at, reload } = useLoad(
    `subscriptions ${stream}`,
    (signal) => api.subscriptions(stream, signal),
    4_000,
  );
  for (const { name, lag } of data?.items ?? []) {
    if (lag !== undefined) lags.add(`${stream}/${name}`, lag.events, at);
  }
  if (data === undefined) return error === undefined ? <Skeleton /> : <Failure error={error} />;
  const items = data.items.toSorted((a, b) => (b.lag?.events ?? 0) - (a.lag?.events ?? 0));
  return (
    <>
      <Stale error={error} at={at} />
      {can("consume") && (
        <div class="log-foot">
          <button type="button" onClick={() => setCreating(true)}>
            Create a subscription
          </button>
        </div>
      )}
      {items.length === 0 ? (
        <Empty title="No service follows this stream">
          <p>
            A subscription keeps the position of a service: create one, poll it, and commit what is
            processed. <a href="/docs">How to</a>
          </p>
        </Empty>
      ) : (
        <Table stream={stream} items={items} />
      )}
      {data.more && <p class="soft">There are more subscriptions than this page shows.</p>}
      {creating && (
        <NewSubscriptionDialog stream={stream} onClose={() => setCreating(false)} onDone={reload} />
      )}
    </>
  );
}

type TableProps = { readonly stream: string; readonly items: readonly SubscriptionInfo[] };

function Table({ stream, items }: TableProps) {
  const at = (name: string, ...rest: string[]) =>
    href(["streams", stream, "subscriptions", name, ...rest]);
  return (
    <Rows
      label="Subscriptions"
      items={items}
      keyOf={({ name }) => name}
      columns={[
        {
          title: "Subscription",
          className: "names",
          cell: ({ name }) => (
            <a href={at(name)} data-row>
              <Name>{name}</Name>
            </a>
          ),
        },
        { title: "Phase", cell: (item) => <Phase of={item} /> },
        {
          title: "Events to go",
          end: true,
          cell: ({ lag }) => (lag === undefined ? "–" : count(lag.events)),
        },
        { title: "Age of the oldest", end: true, wideOnly: true, cell: ({ lag }) => ageOf(lag) },
        {
          title: "Parked",
          end: true,
          cell: ({ name, parkedKeys = 0 }) =>
            parkedKeys === 0 ? (
              "0"
            ) : (
              <a href={at(name, "parked")}>
                <Tag tone="warn">{count(parkedKeys)}</Tag>
              </a>
            ),
        },
        {
          title: "Filter",
          wideOnly: true,
          className: "soft line",
          cell: ({ filter }) => (filter === undefined ? "all events" : "filtered"),
        },
      ]}
    />
  );
}

/** Formats the age of the oldest event that is not processed. */
export const ageOf = (lag: Lag | undefined): string =>
  lag === undefined || lag.events === 0 ? "–" : duration(lag.seconds);

/** Shows whether a subscription still reads the current states, and its progress in them. */
export function Phase({ of: { phase, snapshot, lag } }: { of: SubscriptionInfo }) {
  if (phase === "bootstrap") {
    const { partsRead = 0, parts = 1 } = snapshot ?? {};
    return (
      <div class="phase">
        <span class="line">
          bootstrap, {partsRead} of {counted(parts, "part")}
        </span>
        <Bar part={partsRead / parts} label="Parts of the snapshot that are committed" />
      </div>
    );
  }
  if (lag === undefined) return <span>–</span>;
  return lag.events === 0 ? <Tag tone="good">caught up</Tag> : <Tag>reading</Tag>;
}

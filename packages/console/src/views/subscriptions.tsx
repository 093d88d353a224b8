import { useState } from "preact/hooks";
import { api, type SubscriptionInfo } from "../api.ts";
import { count, duration } from "../format.ts";
import { announce, Bar, Empty, Failure, Name, Skeleton, Stale, Tag } from "../parts/basics.tsx";
import { Field, FormDialog } from "../parts/dialog.tsx";
import { useLoad } from "../parts/load.ts";
import { href } from "../place.ts";
import { lags } from "../samples.ts";
import { can } from "../session.ts";

/** The subscriptions of a stream, those that lag most at the top. */
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
        <CreateDialog stream={stream} onClose={() => setCreating(false)} onDone={reload} />
      )}
    </>
  );
}

function Table({ stream, items }: { stream: string; items: readonly SubscriptionInfo[] }) {
  return (
    <section class="table" tabIndex={0} aria-label="Subscriptions">
      <table>
        <thead>
          <tr>
            <th>Subscription</th>
            <th>Phase</th>
            <th class="end">Events to go</th>
            <th class="end wide-only">Age of the oldest</th>
            <th class="end">Parked</th>
            <th class="wide-only">Filter</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.name}>
              <td>
                <a href={href(["streams", stream, "subscriptions", item.name])} data-row>
                  <Name>{item.name}</Name>
                </a>
              </td>
              <td>
                <Phase of={item} />
              </td>
              <td class="end">{item.lag === undefined ? "–" : count(item.lag.events)}</td>
              <td class="end wide-only">
                {item.lag === undefined || item.lag.events === 0 ? "–" : duration(item.lag.seconds)}
              </td>
              <td class="end">
                {(item.parkedKeys ?? 0) === 0 ? (
                  "0"
                ) : (
                  <a href={href(["streams", stream, "subscriptions", item.name, "parked"])}>
                    <Tag tone="warn">{count(item.parkedKeys ?? 0)}</Tag>
                  </a>
                )}
              </td>
              <td class="wide-only soft">
                {item.filter === undefined ? "all events" : "filtered"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Whether a subscription reads the current states first, and how far it is. */
export function Phase({ of: { phase, snapshot, lag } }: { of: SubscriptionInfo }) {
  if (phase === "bootstrap") {
    const { partsRead = 0, parts = 1 } = snapshot ?? {};
    return (
      <div class="phase">
        <span>
          bootstrap, {partsRead} of {parts} parts
        </span>
        <Bar part={partsRead / parts} label="Parts of the snapshot that are committed" />
      </div>
    );
  }
  if (lag === undefined) return <span>–</span>;
  return lag.events === 0 ? <Tag tone="good">caught up</Tag> : <Tag>reading</Tag>;
}

type CreateProps = {
  readonly stream: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
};

function CreateDialog({ stream, onClose, onDone }: CreateProps) {
  const [name, setName] = useState("");
  const [start, setStart] = useState("earliest");
  const [keyPrefix, setPrefix] = useState("");
  const [types, setTypes] = useState("");
  const create = async () => {
    const filter = {
      ...(keyPrefix === "" ? {} : { keyPrefix }),
      ...(types.trim() === "" ? {} : { types: types.split(",").map((type) => type.trim()) }),
    };
    const hasFilter = Object.keys(filter).length > 0;
    await api.createSubscription(stream, { name, start, ...(hasFilter ? { filter } : {}) });
    announce(`The subscription ${name} is created.`);
    onDone();
  };
  return (
    <FormDialog title={`Subscribe to ${stream}`} act="Create" onAct={create} onClose={onClose}>
      <Field label="Name" hint="Lower-case letters, digits, dot, dash and underscore.">
        <input
          required
          autocomplete="off"
          value={name}
          onInput={(e) => setName(e.currentTarget.value)}
        />
      </Field>
      <Field label="It begins with">
        <select value={start} onChange={(e) => setStart(e.currentTarget.value)}>
          <option value="earliest">the oldest event that is kept</option>
          <option value="latest">events published from now on</option>
          <option value="bootstrap">the current state of every key, then the events</option>
        </select>
      </Field>
      <Field label="Only keys that begin with">
        <input
          autocomplete="off"
          value={keyPrefix}
          onInput={(e) => setPrefix(e.currentTarget.value)}
        />
      </Field>
      <Field label="Only these types" hint="With commas between. Tombstones always pass.">
        <input autocomplete="off" value={types} onInput={(e) => setTypes(e.currentTarget.value)} />
      </Field>
    </FormDialog>
  );
}

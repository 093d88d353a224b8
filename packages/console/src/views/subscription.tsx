import { useState } from "preact/hooks";
import { api, type SubscriptionInfo } from "../api.ts";
import { ahead, count, counted, duration } from "../format.ts";
import {
  announce,
  Bar,
  Facts,
  Failure,
  Moment,
  Name,
  Skeleton,
  Stale,
  Tag,
} from "../parts/basics.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { useLoad, useNow } from "../parts/load.ts";
import { Rows } from "../parts/rows.tsx";
import { go, href } from "../place.ts";
import { lags } from "../samples.ts";
import { can } from "../session.ts";
import { visible } from "../visible.ts";
import { LagOverTime } from "./lag-over-time.tsx";
import { PushCard } from "./push.tsx";
import { type NewSecret, PushDialog, PushSecretDialog } from "./push-dialogs.tsx";
import { SeekDialog } from "./seek.tsx";
import { SubscriptionDialog } from "./subscription-dialog.tsx";
import { ageOf, Phase } from "./subscriptions.tsx";

type Props = { readonly stream: string; readonly name: string };

/** Shows one subscription: its progress, its workers, and what an operator can do. */
export function SubscriptionView({ stream, name }: Props) {
  const [open, setOpen] = useState<"seek" | "change" | "delete" | "push" | undefined>();
  const [secret, setSecret] = useState<NewSecret | undefined>();
  const close = () => setOpen(undefined);
  const { data, error, at, reload } = useLoad(
    `subscription ${stream} ${name}`,
    (signal) => api.subscription(stream, name, signal),
    2_500,
  );
  if (data?.lag !== undefined) lags.add(`${stream}/${name}`, data.lag.events, at);
  if (data === undefined) return error === undefined ? <Skeleton /> : <Failure error={error} />;
  const remove = async () => {
    await api.deleteSubscription(stream, name);
    announce(`The subscription ${name} is deleted.`);
    go(["streams", stream, "subscriptions"]);
  };
  return (
    <>
      <div class="heading">
        <Phase of={data} />
        {can("operate") && (
          <div class="actions">
            <button type="button" onClick={() => setOpen("seek")}>
              Seek
            </button>
            <button type="button" onClick={() => setOpen("change")}>
              Change
            </button>
            {data.push === undefined && (
              <button type="button" onClick={() => setOpen("push")}>
                Push to an endpoint
              </button>
            )}
            <button type="button" class="danger" onClick={() => setOpen("delete")}>
              Delete
            </button>
          </div>
        )}
      </div>
      <Stale error={error} at={at} />
      {data.warnings?.map((warning) => (
        <p class="hint" key={warning}>
          {visible(warning)}
        </p>
      ))}
      <Standing stream={stream} info={data} />
      {data.push !== undefined && <PushCard stream={stream} name={name} onEnded={reload} />}
      <LagOverTime of={`${stream}/${name}`} />
      <div class="columns">
        <Workers info={data} />
        <Settings info={data} />
      </div>
      {open === "seek" && (
        <SeekDialog stream={stream} info={data} onClose={close} onDone={reload} />
      )}
      {open === "change" && (
        <SubscriptionDialog stream={stream} info={data} onClose={close} onDone={reload} />
      )}
      {open === "push" && (
        <PushDialog
          stream={stream}
          name={name}
          onClose={close}
          onDone={reload}
          onSecret={setSecret}
        />
      )}
      {secret !== undefined && (
        <PushSecretDialog of={secret} onClose={() => setSecret(undefined)} />
      )}
      {open === "delete" && (
        <FormDialog
          title={`Delete ${name}`}
          act="Delete the subscription"
          danger
          typed={name}
          onAct={remove}
          onClose={close}
        >
          <p>
            Its position and its {counted(data.parkedKeys ?? 0, "parked key")} are lost. Its
            consumers are refused from then on{data.push !== undefined && ", and its push ends"}.
            The events stay.
          </p>
        </FormDialog>
      )}
    </>
  );
}

function Standing({ stream, info }: { stream: string; info: SubscriptionInfo }) {
  const { lag, keysBehind: keys, parkedKeys = 0, position } = info;
  const parkedAt = href(["streams", stream, "subscriptions", info.name, "parked"]);
  return (
    <section class="card" aria-label="Progress">
      <Facts
        facts={[
          ["Events to go", lag === undefined ? "–" : count(lag.events)],
          ["Age of the oldest", ageOf(lag)],
          ["Keys among them", keys === null || keys === undefined ? "–" : count(keys)],
          [
            "Parked keys",
            <a key="parked" href={parkedAt}>
              {parkedKeys === 0 ? "none" : <Tag tone="warn">{count(parkedKeys)}</Tag>}
            </a>,
          ],
          [
            "Next events",
            typeof position === "string" ? (
              <a
                key="next"
                href={href(["streams", stream, "events"], { order: "asc", at: position })}
              >
                from its position
              </a>
            ) : (
              "a snapshot is read"
            ),
          ],
        ]}
      />
    </section>
  );
}

function Workers({ info: { members = [], leaseSeconds } }: { info: SubscriptionInfo }) {
  const now = useNow();
  return (
    <section class="card" aria-label="Workers">
      <h2>Workers</h2>
      {members.length === 0 ? (
        <p class="soft">
          No named worker has polled within {leaseSeconds} s. A consumer without a name is not
          listed.
        </p>
      ) : (
        <Rows
          label="List of workers"
          items={members}
          keyOf={({ consumer }) => consumer}
          columns={[
            { title: "Worker", className: "names", cell: (one) => <Name>{one.consumer}</Name> },
            { title: "Share of the keys", cell: (one) => <Share of={one} /> },
            { title: "Lease ends", end: true, cell: ({ until }) => ahead(until, now) },
          ]}
        />
      )}
    </section>
  );
}

function Share({ of: { consumer, share } }: { of: { consumer: string; share: number } }) {
  if (share === 0) return <span class="soft">waits for a share</span>;
  return (
    <div class="phase">
      <span>{Math.round(share * 100)} %</span>
      <Bar part={share} label={`Share of ${visible(consumer)}`} />
    </div>
  );
}

function Settings({ info }: { info: SubscriptionInfo }) {
  const { filter, leaseSeconds, maxDeliveries, createdAt, start } = info;
  const conditions = [
    ...(filter?.keyPrefix === undefined ? [] : [`key begins with ${filter.keyPrefix}`]),
    ...(filter?.types === undefined ? [] : [`type is ${filter.types.join(" or ")}`]),
    ...Object.entries(filter?.headers ?? {}).map(([name, value]) => `header ${name} is ${value}`),
  ];
  return (
    <section class="card" aria-label="Settings">
      <h2>Settings</h2>
      <Facts
        facts={[
          ["Filter", visible(conditions.length === 0 ? "all events" : conditions.join("; "))],
          ["Lease of a worker", duration(leaseSeconds)],
          [
            "Parks a key after",
            maxDeliveries === undefined
              ? "never by itself"
              : counted(maxDeliveries, "delivery", "deliveries"),
          ],
          ["Began with", visible(typeof start === "string" ? start : JSON.stringify(start))],
          ["Created", <Moment key="created" at={createdAt} />],
        ]}
      />
    </section>
  );
}

import { useState } from "preact/hooks";
import { api, type Push, type PushAttempt, type PushDelivery } from "../api.ts";
import { ahead, count, counted } from "../format.ts";
import { Ago, announce, Facts, Failure, Moment, Name, Stale, Tag } from "../parts/basics.tsx";
import { useLoad, useNow } from "../parts/load.ts";
import { endIfRefused } from "../parts/refused.ts";
import { Rows } from "../parts/rows.tsx";
import { href } from "../place.ts";
import { can } from "../session.ts";
import { glimpse, visible } from "../visible.ts";
import {
  EndPushDialog,
  type NewSecret,
  PushDialog,
  PushSecretDialog,
  RotatePushDialog,
} from "./push-dialogs.tsx";

type Props = {
  readonly stream: string;
  readonly name: string;
  /** Called when the push has ended. */
  readonly onEnded: () => void;
};

/** The answer of an endpoint to one delivery that a person has asked for. */
type Answered = { readonly of: string; readonly attempt: PushAttempt };

/** Shows the push of a subscription: its state, its failed deliveries, and what can be done. */
export function PushCard({ stream, name, onEnded }: Props) {
  const [open, setOpen] = useState<"change" | "rotate" | "end" | undefined>();
  const [secret, setSecret] = useState<NewSecret | undefined>();
  const [answered, setAnswered] = useState<Answered | undefined>();
  const close = () => setOpen(undefined);
  const place = { stream, name, onClose: close };
  const { data, error, at, reload } = useLoad(
    `push ${stream} ${name}`,
    async (signal) => {
      const [push, failures] = await Promise.all([
        api.push(stream, name, signal),
        api.failures(stream, name, signal),
      ]);
      return { push, failures };
    },
    3_000,
  );
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  /** Does one thing at a time. Its failure stays visible until the next one. */
  const act = async (work: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setFailure(undefined);
    setAnswered(undefined);
    await work().catch((caught) => endIfRefused(caught) || setFailure(caught));
    setBusy(false);
    reload();
  };
  if (data === undefined) return <Failure error={error} />;
  const { push, failures } = data;
  const isOn = push.status !== "disabled";
  const test = () =>
    act(async () => {
      setAnswered({ of: "the test event", attempt: await api.testPush(stream, name) });
    });
  const resend = (failed: PushDelivery) =>
    act(async () => {
      const of = `event ${count(failed.sequence)} of ${failed.key}`;
      setAnswered({ of, attempt: await api.resend(stream, name, failed) });
    });
  const turn = () =>
    act(async () => {
      await (isOn ? api.disablePush(stream, name) : api.enablePush(stream, name));
      announce(`The push of ${name} is ${isOn ? "disabled" : "enabled"}.`);
    });
  return (
    <section class="card" aria-label="Push">
      <header>
        <h2>Push</h2>
        <Status of={push} />
        {can("operate") && (
          <div class="actions">
            <button type="button" aria-disabled={busy} onClick={() => void test()}>
              Send a test
            </button>
            <button type="button" aria-disabled={busy} onClick={() => void turn()}>
              {isOn ? "Disable" : "Enable"}
            </button>
            <button type="button" onClick={() => setOpen("rotate")}>
              Rotate the secret
            </button>
            <button type="button" onClick={() => setOpen("change")}>
              Change the endpoint
            </button>
            <button type="button" class="danger" onClick={() => setOpen("end")}>
              End the push
            </button>
          </div>
        )}
      </header>
      <Stale error={error} at={at} />
      {push.remedy !== undefined && <p class="hint">{visible(push.remedy)}</p>}
      <State of={push} stream={stream} name={name} />
      <Failure error={failure} />
      {answered !== undefined && <Answer {...answered} />}
      <Failures
        stream={stream}
        items={failures.items}
        more={failures.more}
        busy={busy}
        onResend={(failed) => void resend(failed)}
      />
      {open === "change" && (
        <PushDialog {...place} push={push} onDone={reload} onSecret={setSecret} />
      )}
      {open === "rotate" && <RotatePushDialog {...place} onSecret={setSecret} />}
      {open === "end" && <EndPushDialog {...place} push={push} onEnded={onEnded} />}
      {secret !== undefined && (
        <PushSecretDialog of={secret} onClose={() => setSecret(undefined)} />
      )}
    </section>
  );
}

const TONES = { enabled: "good", failing: "warn", disabled: "bad" } as const;

const BECAUSE: Readonly<Record<NonNullable<Push["disabledBecause"]>, string>> = {
  asked: "by request",
  gone: "the endpoint answered 410",
  failing: "nothing was accepted for 5 days",
  "retention-passed": "its next events have left the log",
  "outside-prefix": "its filter lets through keys that its customer may not see",
};

function Status({ of: { status, disabledBecause } }: { of: Push }) {
  return (
    <>
      <Tag tone={TONES[status]}>{status}</Tag>
      {disabledBecause !== undefined && <span class="soft">{BECAUSE[disabledBecause]}</span>}
    </>
  );
}

type StateProps = { readonly of: Push; readonly stream: string; readonly name: string };

function State({ of: push, stream, name }: StateProps) {
  const now = useNow();
  const { failingSince, nextAttemptAt, retryingKeys, givenUpKeys } = push;
  const parkedAt = href(["streams", stream, "subscriptions", name, "parked"]);
  return (
    <Facts
      facts={[
        ["Endpoint", <Name key="url">{push.url}</Name>, "whole"],
        ...(failingSince === undefined
          ? []
          : ([["Failing", <Ago key="since" at={failingSince} />]] as const)),
        ...(nextAttemptAt === undefined
          ? []
          : ([["Next try", ahead(nextAttemptAt, now)]] as const)),
        ["Keys that wait", retryingKeys === 0 ? "none" : count(retryingKeys)],
        [
          "Keys given up",
          givenUpKeys === 0 ? (
            "none"
          ) : (
            <a key="given-up" href={parkedAt}>
              {count(givenUpKeys)}
            </a>
          ),
        ],
        ["Format", push.format === "standard" ? "Standard Webhooks" : "CloudEvents"],
        ["At the same time", counted(push.concurrency, "key")],
        ["Time for an answer", `${push.timeoutSeconds} s`],
        ["Set up", <Moment key="created" at={push.createdAt} />],
      ]}
    />
  );
}

function Answer({ of, attempt: { delivered, status, error, answer = "" } }: Answered) {
  const said = status === undefined ? (error ?? "no answer") : `the endpoint answered ${status}`;
  return (
    <div class="results" role="status">
      <p>
        <Tag tone={delivered ? "good" : "bad"}>{delivered ? "accepted" : "refused"}</Tag>{" "}
        <Name>{of}</Name> <span class="soft">{visible(said)}</span>
      </p>
      {answer !== "" && <p class="mono">{visible(answer)}</p>}
    </div>
  );
}

type FailuresProps = {
  readonly stream: string;
  readonly items: readonly PushDelivery[];
  readonly more: boolean;
  readonly busy: boolean;
  readonly onResend: (failed: PushDelivery) => void;
};

function Failures({ stream, items, more, busy, onResend }: FailuresProps) {
  const now = useNow();
  if (items.length === 0) {
    return <p class="soft">No delivery has failed in the last 7 days.</p>;
  }
  return (
    <>
      <h3>{more ? `The last ${items.length} failed deliveries` : "Failed deliveries"}</h3>
      <Rows
        label="Failed deliveries"
        items={items}
        keyOf={({ id, at, attempt }) => `${id} ${at} ${attempt}`}
        columns={[
          {
            title: "Key",
            className: "names",
            cell: ({ key }) => (
              <a href={href(["streams", stream, "key"], { key })}>{visible(key)}</a>
            ),
          },
          {
            title: "Event",
            end: true,
            cell: ({ key, sequence }) => (
              <a href={href(["streams", stream, "events"], { key, seq: sequence, of: key })}>
                {count(sequence)}
              </a>
            ),
          },
          { title: "Answer", className: "reason", cell: (failed) => <Said of={failed} /> },
          { title: "Try", end: true, cell: ({ attempt }) => count(attempt) },
          { title: "Failed", end: true, cell: ({ at }) => <Ago at={at} /> },
          {
            title: "Next try",
            end: true,
            wideOnly: true,
            cell: ({ nextAttemptAt }) =>
              nextAttemptAt === undefined ? "–" : ahead(nextAttemptAt, now),
          },
          can("operate")
            ? {
                title: "What to do",
                hidesTitle: true,
                end: true,
                cell: (failed) => (
                  <div class="actions">
                    <button
                      type="button"
                      aria-label={`Resend event ${failed.sequence} of ${visible(failed.key)}`}
                      aria-disabled={busy}
                      onClick={() => onResend(failed)}
                    >
                      Resend
                    </button>
                  </div>
                ),
              }
            : undefined,
        ]}
      />
    </>
  );
}

function Said({ of: { status, error = "no answer", answer = "" } }: { of: PushDelivery }) {
  if (status === undefined) return <span>{visible(error)}</span>;
  return (
    <>
      <strong>{status}</strong> {answer !== "" && glimpse(answer, 120)}
    </>
  );
}

import { useState } from "preact/hooks";
import { LedgerProblem } from "../../../sdk/src/errors.ts";
import {
  Ago,
  announce,
  Empty,
  type Fact,
  Facts,
  Failure,
  Name,
  Skeleton,
  Tag,
} from "../parts/basics.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { useAction, useLoad } from "../parts/load.ts";
import { answerOf, api, type Push, type Target } from "./api.ts";
import { FailedDeliveries } from "./deliveries.tsx";
import { ChangeDialog, ReplayDialog, SecretDialog, UrlForm } from "./endpoint-forms.tsx";

const EVERY_MS = 10_000;

/** The endpoints of the subscriptions of one stream. */
export function Endpoints({ targets }: { targets: readonly Target[] }) {
  if (targets.length === 0) return <Empty title="No subscription can have an endpoint" />;
  return (
    <>
      {targets.map((target) => (
        <Endpoint key={target.subscription} target={target} isAlone={targets.length === 1} />
      ))}
    </>
  );
}

/** What is known about a subscription: its push, that it has none, or that it does not exist. */
type State = { readonly push?: Push; readonly isMissing?: true };

async function load(target: Target, signal: AbortSignal): Promise<State> {
  try {
    return { push: await api.push(target, signal) };
  } catch (error) {
    if (LedgerProblem.is(error, "push-not-found")) return {};
    if (LedgerProblem.is(error, "subscription-not-found")) return { isMissing: true };
    throw error;
  }
}

function Endpoint({ target, isAlone }: { target: Target; isAlone: boolean }) {
  const { stream, subscription } = target;
  const of = `push ${stream} ${subscription}`;
  const { data, error, reload } = useLoad(of, (signal) => load(target, signal), EVERY_MS);
  const [secret, setSecret] = useState<string | undefined>();
  const [open, setOpen] = useState<"change" | "rotate" | "replay" | "end" | undefined>();
  const close = () => setOpen(undefined);
  const isNew = data !== undefined && data.push === undefined;
  if (data?.isMissing) {
    return isAlone ? <Empty title="The subscription does not exist any more" /> : null;
  }
  return (
    <section aria-label={`Endpoint of ${subscription}`} class="stack card">
      {!isAlone && <h2>{subscription}</h2>}
      {data === undefined && error === undefined && <Skeleton rows={3} />}
      <Failure error={error} />
      {isNew && (
        <UrlForm
          act="Send events there"
          url=""
          onSet={async (url) => {
            setSecret((await api.setPush(target, { url })).secret);
            reload();
          }}
        />
      )}
      {data?.push !== undefined && (
        <>
          <About push={data.push} />
          <Actions target={target} push={data.push} reload={reload} onOpen={setOpen} />
          <FailedDeliveries target={target} />
        </>
      )}
      {open === "change" && data?.push !== undefined && (
        <ChangeDialog target={target} push={data.push} onClose={close} onDone={reload} />
      )}
      {open === "rotate" && (
        <FormDialog
          title="Make a new secret"
          act="Make a new secret"
          onClose={close}
          onAct={async () => {
            setSecret((await api.rotate(target)).secret);
          }}
        >
          <p>The present secret also signs for another 24 hours.</p>
        </FormDialog>
      )}
      {open === "replay" && <ReplayDialog target={target} onClose={close} onDone={reload} />}
      {open === "end" && (
        <FormDialog
          title="Remove the endpoint"
          act="Remove"
          danger
          onClose={close}
          onAct={async () => {
            await api.deletePush(target);
            announce("Nothing more is sent.");
            reload();
          }}
        >
          <p>Nothing more is sent. A new endpoint gets a new secret and continues from here.</p>
        </FormDialog>
      )}
      {secret !== undefined && (
        <SecretDialog secret={secret} onClose={() => setSecret(undefined)} />
      )}
    </section>
  );
}

const TONES = { enabled: "good", failing: "warn", disabled: "bad" } as const;

function About({ push }: { push: Push }) {
  const { url, status, remedy, failingSince, nextAttemptAt, retryingKeys, givenUpKeys } = push;
  const facts: Fact[] = [
    ["Sends to", <Name key="url">{url}</Name>, "whole"],
    [
      "State",
      <Tag key="state" tone={TONES[status]}>
        {status}
      </Tag>,
    ],
    ...(failingSince === undefined
      ? []
      : [["Failing since", <Ago key="since" at={failingSince} />] as const]),
    ...(nextAttemptAt === undefined
      ? []
      : [["Next attempt", new Date(nextAttemptAt).toLocaleTimeString()] as const]),
    ["Keys that wait for a retry", String(retryingKeys)],
    ...(givenUpKeys === 0 ? [] : [["Keys given up", String(givenUpKeys)] as const]),
  ];
  return (
    <>
      <Facts facts={facts} />
      {remedy !== undefined && <p class="hint">{DISABLED[push.disabledBecause ?? "asked"]}</p>}
    </>
  );
}

/** What a person does about a disabled endpoint. */
const DISABLED: Readonly<Record<NonNullable<Push["disabledBecause"]>, string>> = {
  asked: "Sending is switched off. It continues where it was.",
  gone: "The endpoint answered 410. Change its URL, then switch sending on.",
  failing: "The endpoint accepted nothing for days. Repair it, test it, then switch sending on.",
  "outside-prefix": "Not all of these events are for this endpoint. Ask who runs this site.",
  "retention-passed": "Events at the position are no longer kept. Replay, then switch sending on.",
};

type ActionsProps = {
  readonly target: Target;
  readonly push: Push;
  readonly reload: () => void;
  readonly onOpen: (dialog: "change" | "rotate" | "replay" | "end") => void;
};

function Actions({ target, push, reload, onOpen }: ActionsProps) {
  const isOff = push.status === "disabled";
  const turn = useAction(async () => {
    await (isOff ? api.enable(target) : api.disable(target));
    announce(isOff ? "Sending is on." : "Sending is off.");
    reload();
  });
  const test = useAction(async () => {
    const attempt = await api.test(target);
    if (!attempt.delivered)
      throw new Error(`The endpoint did not accept it: ${answerOf(attempt)}.`);
    announce(`The endpoint ${answerOf(attempt)}.`);
  });
  return (
    <>
      <div class="buttons">
        <button type="button" aria-disabled={test.busy} onClick={() => void test.run()}>
          Send a test event
        </button>
        <button type="button" aria-disabled={turn.busy} onClick={() => void turn.run()}>
          {isOff ? "Switch sending on" : "Switch sending off"}
        </button>
        <button type="button" onClick={() => onOpen("replay")}>
          Replay
        </button>
        <button type="button" onClick={() => onOpen("change")}>
          Change
        </button>
        <button type="button" onClick={() => onOpen("rotate")}>
          New secret
        </button>
        <button type="button" class="danger" onClick={() => onOpen("end")}>
          Remove
        </button>
      </div>
      <Failure error={test.error} />
      <Failure error={turn.error} />
    </>
  );
}

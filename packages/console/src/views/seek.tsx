import { useState } from "preact/hooks";
import { LedgerProblem, type Place } from "../../../sdk/src/index.ts";
import { api, type Event, type SubscriptionInfo } from "../api.ts";
import { placeBody, readGoTo } from "../events/query.ts";
import { count, counted, moment } from "../format.ts";
import { announce, Failure } from "../parts/basics.tsx";
import { Field, FormDialog } from "../parts/dialog.tsx";
import { useAction } from "../parts/load.ts";
import { glimpse } from "../visible.ts";

type Props = {
  readonly stream: string;
  readonly info: SubscriptionInfo;
  readonly onClose: () => void;
  readonly onDone: () => void;
};

type Target = "earliest" | "latest" | "bootstrap" | "since" | "place";

/** The effect of a seek: how many events are delivered, and the first of them. */
type Preview = { readonly text: string; readonly events: readonly Event[] };

const SHOWN = 5;

/** Moves a subscription, after showing what will be delivered. */
export function SeekDialog({ stream, info, onClose, onDone }: Props) {
  const [target, setTarget] = useState<Target>("place");
  const [typed, setTyped] = useState("");
  const [preview, setPreview] = useState<Preview | undefined>();
  const choose = (next: Target) => {
    setTarget(next);
    setPreview(undefined);
  };
  const at = target === "place" ? String(readGoTo(typed, Date.now()).at ?? "") : target;
  const to = () => (at === "since" ? { since: typed.trim() } : placeBody(at));
  const look = useAction(async () => setPreview(await previewOf(stream, info, at, to())));
  const seek = async () => {
    await api.seek(stream, info.name, to());
    announce(`The subscription ${info.name} is moved.`);
    onDone();
  };
  return (
    <FormDialog
      title={`Seek ${info.name}`}
      act={preview === undefined ? "Look first" : `Move ${info.name}`}
      onAct={async () => {
        if (preview !== undefined) return seek();
        await look.run();
        throw undefined;
      }}
      onClose={onClose}
      wide
    >
      <fieldset>
        <legend>It continues with</legend>
        {(
          [
            ["place", "a time, a sequence or a cursor"],
            ["earliest", "the oldest event that is kept"],
            ["latest", "events published from now on"],
            ["bootstrap", "the current state of every key, then the events"],
            ["since", "the keys that changed since a cursor, then the events"],
          ] as const
        ).map(([value, label]) => (
          <label class="check" key={value}>
            <input
              type="radio"
              name="target"
              checked={target === value}
              onChange={() => choose(value)}
            />
            {label}
          </label>
        ))}
      </fieldset>
      {(target === "place" || target === "since") && (
        <Field
          label={target === "since" ? "Cursor" : "Time, sequence or cursor"}
          hint={
            target === "since"
              ? "Of the last state that the subscriber has: of a page or a receipt, or a position."
              : "Such as 14:02, 2026-11-29 14:02, 15m, #42, or the cursor of a page or a receipt."
          }
        >
          <input
            required
            value={typed}
            autocomplete="off"
            onInput={(e) => {
              setTyped(e.currentTarget.value);
              setPreview(undefined);
            }}
          />
        </Field>
      )}
      <Failure error={look.error} />
      {preview !== undefined && <Shown preview={preview} />}
      <p class="soft">Parked keys are released, and cursors from before the seek are refused.</p>
    </FormDialog>
  );
}

function Shown({ preview: { text, events } }: { preview: Preview }) {
  return (
    <div class="stack preview" role="status">
      <p>{text}</p>
      {events.length > 0 && (
        <table>
          <tbody>
            {events.map(({ sequence, publishedAt, key, type }) => (
              <tr key={`${sequence} ${key}`}>
                <td class="end">{count(sequence)}</td>
                <td>{moment(publishedAt)}</td>
                <td class="mono">{glimpse(key, 60)}</td>
                <td class="wide-only">{glimpse(type ?? "", 60)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** Asks the server for a dry run, which refuses what the seek would refuse. */
async function previewOf(
  stream: string,
  info: SubscriptionInfo,
  at: string,
  to: Place,
): Promise<Preview> {
  const { phase, lag } = await api.seek(stream, info.name, to, true);
  if (phase === "bootstrap") {
    const first =
      at === "bootstrap"
        ? "current state of every key"
        : at === "since"
          ? "last event of each changed key"
          : "rest of the snapshot";
    return { text: `The ${first} will be delivered first.`, events: [] };
  }
  const total = lag.events;
  const { events } = await api.events(stream, { from: at, limit: SHOWN }).catch((error) => {
    // A cursor of the subscription itself is no place to browse from.
    if (LedgerProblem.is(error, "invalid-cursor")) return { events: [] };
    throw error;
  });
  const again = total - (info.lag?.events ?? 0);
  const difference =
    again > 0
      ? `${count(again)} of them again.`
      : again < 0
        ? `${counted(-again, "event")} will be left out.`
        : "The subscription is already there.";
  const filter = info.filter === undefined ? "" : " Its filter may leave out some.";
  return {
    text: `${counted(total, "event")} will be delivered. ${difference}${filter}`,
    events,
  };
}

import { useState } from "preact/hooks";
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
  const look = useAction(async () => setPreview(await previewOf(stream, info, at)));
  const seek = async () => {
    await api.seek(stream, info.name, at === "since" ? { since: typed.trim() } : placeBody(at));
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

async function previewOf(stream: string, info: SubscriptionInfo, at: string): Promise<Preview> {
  if (at === "bootstrap") {
    return { text: "The current state of every key will be delivered first.", events: [] };
  }
  if (at === "since") {
    return { text: "The last event of each changed key will be delivered first.", events: [] };
  }
  const page = await api.events(stream, { from: at, limit: SHOWN });
  const total = page.events.length + (page.lag?.events ?? 0);
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
    events: page.events,
  };
}

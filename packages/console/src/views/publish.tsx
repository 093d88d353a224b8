import { useState } from "preact/hooks";
import { api, type Event } from "../api.ts";
import { printHeaders, readHeaders } from "../headers.ts";
import { announce } from "../parts/basics.tsx";
import { Field, FormDialog } from "../parts/dialog.tsx";

type Props = {
  readonly stream: string;
  /** The initial content of the fields. */
  readonly like: Partial<Event>;
  readonly onClose: () => void;
};

/** Publishes one event by hand. Its data is sent as it is typed. */
export function PublishDialog({ stream, like, onClose }: Props) {
  const [key, setKey] = useState(like.key ?? "");
  const [type, setType] = useState(like.type ?? "");
  const [data, setData] = useState(like.data ?? '{\n  "total": 42\n}');
  const [headers, setHeaders] = useState(() => printHeaders(like.headers));
  const [isDeletion, setDeletion] = useState(like.data === null);
  const fault = isDeletion ? "" : faultOf(data);
  const publish = async () => {
    if (fault !== "") throw new Error(fault);
    const text = isDeletion ? "null" : data;
    const { events } = await api.publish(stream, {
      key,
      type: type || undefined,
      headers: readHeaders(headers),
      data: text,
    });
    announce(`Published to ${stream} with the sequence ${events[0]?.sequence}.`);
  };
  return (
    <FormDialog
      title={`Publish to ${stream}`}
      act={isDeletion ? "Delete the key" : "Publish"}
      danger={isDeletion}
      onAct={publish}
      onClose={onClose}
      wide
    >
      <div class="columns">
        <Field label="Key" hint="What the event is about. Events of one key keep their order.">
          <input
            required
            autocomplete="off"
            spellcheck={false}
            value={key}
            onInput={(e) => setKey(e.currentTarget.value)}
          />
        </Field>
        <Field label="Type" hint="What kind of event it is. It may be empty.">
          <input
            autocomplete="off"
            spellcheck={false}
            value={type}
            onInput={(e) => setType(e.currentTarget.value)}
          />
        </Field>
      </div>
      {!isDeletion && (
        <Field label="Data" hint={fault || "JSON. It is stored exactly as it is here."}>
          <textarea
            rows={10}
            spellcheck={false}
            aria-invalid={fault !== ""}
            value={data}
            onInput={(e) => setData(e.currentTarget.value)}
          />
        </Field>
      )}
      <details open={like.headers !== undefined}>
        <summary>Headers</summary>
        <Field label="A line each" hint="Such as source: shop. Subscriptions can filter by them.">
          <textarea
            rows={3}
            spellcheck={false}
            value={headers}
            onInput={(e) => setHeaders(e.currentTarget.value)}
          />
        </Field>
      </details>
      <label class="check">
        <input
          type="checkbox"
          checked={isDeletion}
          onChange={(e) => setDeletion(e.currentTarget.checked)}
        />
        A tombstone: it has no data, and deletes the key from the current state
      </label>
    </FormDialog>
  );
}

function faultOf(data: string): string {
  try {
    return JSON.parse(data) === null ? "null is a tombstone: tick the box below." : "";
  } catch (error) {
    return `This is not JSON yet: ${error instanceof Error ? error.message : ""}`;
  }
}

import { useState } from "preact/hooks";
import { api, type SchemaCheck, type Schemas } from "../api.ts";
import { counted } from "../format.ts";
import { announce, Facts, Failure } from "../parts/basics.tsx";
import { Field, FormDialog } from "../parts/dialog.tsx";
import { useAction, useLoad } from "../parts/load.ts";
import { visible } from "../visible.ts";

type Props = { readonly stream: string; readonly mayChange: boolean };

/** Shows the schemas of a stream's events, and changes them. */
export function SchemasCard({ stream, mayChange }: Props) {
  const [isOpen, setOpen] = useState(false);
  const load = (signal: AbortSignal) => api.schemas(stream, signal);
  const { data, error, reload } = useLoad(`schemas ${stream}`, load);
  return (
    <section class="card" aria-label="Schemas">
      <header>
        <h2>Schemas</h2>
        {mayChange && data !== undefined && (
          <div class="actions">
            <button type="button" aria-label="Change schemas" onClick={() => setOpen(true)}>
              Change
            </button>
          </div>
        )}
      </header>
      {data === undefined ? <Failure error={error} /> : <Facts facts={factsOf(data)} />}
      {isOpen && data !== undefined && (
        <SchemasDialog
          stream={stream}
          former={data}
          onClose={() => setOpen(false)}
          onDone={reload}
        />
      )}
    </section>
  );
}

const factsOf = ({ schemas, undeclared, compatibility }: Schemas) =>
  [
    ["Types", Object.keys(schemas).map(visible).join(", ") || "none", "whole"],
    ["Other types are", undeclared],
    ["Compatibility of changes", compatibility],
  ] as const;

type DialogProps = {
  readonly stream: string;
  readonly former: Schemas;
  readonly onClose: () => void;
  readonly onDone: () => void;
};

const MODES = ["none", "backward", "forward", "full"] as const;

function SchemasDialog({ stream, former, onClose, onDone }: DialogProps) {
  const [text, setText] = useState(() => JSON.stringify(former.schemas, undefined, 2));
  const [compatibility, setMode] = useState(former.compatibility);
  const [undeclared, setUndeclared] = useState(former.undeclared);
  const [force, setForce] = useState(false);
  const [found, setFound] = useState<SchemaCheck | undefined>();
  const fault = faultOf(text);
  const wanted = () => {
    if (fault !== "") throw new Error(fault);
    return { schemas: JSON.parse(text), compatibility, undeclared };
  };
  const check = useAction(async () => setFound(await api.checkSchemas(stream, wanted())));
  const save = async () => {
    await api.setSchemas(stream, wanted(), force);
    announce(`The schemas of ${stream} are changed. Every server follows within 5 seconds.`);
    onDone();
  };
  return (
    <FormDialog title={`Schemas of ${stream}`} act="Save" onAct={save} onClose={onClose} wide>
      <Field label="JSON Schemas by type" hint={fault || "Draft 2020-12, without patterns."}>
        <textarea
          rows={14}
          spellcheck={false}
          aria-invalid={fault !== ""}
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
        />
      </Field>
      <div class="columns">
        <Field label="Compatibility of changes">
          <select
            value={compatibility}
            onChange={(e) => setMode(e.currentTarget.value as typeof compatibility)}
          >
            {MODES.map((mode) => (
              <option key={mode}>{mode}</option>
            ))}
          </select>
        </Field>
        <Field label="Events of other types are">
          <select
            value={undeclared}
            onChange={(e) => setUndeclared(e.currentTarget.value as typeof undeclared)}
          >
            <option>accepted</option>
            <option>refused</option>
          </select>
        </Field>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={force}
          onChange={(e) => setForce(e.currentTarget.checked)}
        />
        Also change what the mode forbids, or what subscriptions read
      </label>
      <div class="actions">
        <button type="button" aria-disabled={check.busy} onClick={() => void check.run()}>
          Check
        </button>
      </div>
      <Failure error={check.error} />
      {found !== undefined && <Found found={found} />}
    </FormDialog>
  );
}

function Found({ found: { accepted, differences, breaks } }: { found: SchemaCheck }) {
  const broken = breaks.map(({ subscription, type, field, detail }) => (
    <li key={`${subscription} ${type} ${field}`}>
      {subscription} reads <code>{visible(field)}</code> of {visible(type)}, which {detail}
    </li>
  ));
  return (
    <div role="status">
      <p>
        {accepted ? "The change is accepted." : "The change is refused."}{" "}
        {counted(breaks.length, "field")} that subscriptions read would break.
      </p>
      <ul>
        {broken}
        {differences.map(({ direction, pointer, rule }) => (
          <li key={`${direction} ${pointer} ${rule}`}>
            not {direction} compatible: <code>{visible(pointer)}</code>
          </li>
        ))}
      </ul>
    </div>
  );
}

function faultOf(text: string): string {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is not JSON yet: ${error instanceof Error ? error.message : ""}`;
  }
}

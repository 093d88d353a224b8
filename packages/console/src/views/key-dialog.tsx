import { useState } from "preact/hooks";
import { api, type KeySecret } from "../api.ts";
import { Field, FormDialog } from "../parts/dialog.tsx";
import { can, type Scope } from "../session.ts";

const SCOPES: readonly (readonly [Scope, string])[] = [
  ["publish", "publish events"],
  ["read", "look at streams, events, states and subscriptions"],
  ["consume", "create subscriptions, poll and commit"],
  ["operate", "seek, change and delete subscriptions, retry and skip"],
  ["admin", "manage streams and keys"],
  ["audit", "read who changed what"],
];

type Props = { readonly onClose: () => void; readonly onSecret: (secret: KeySecret) => void };

/** Creates a key with at most the rights of the current one. */
export function KeyDialog({ onClose, onSecret }: Props) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>([]);
  const [streams, setStreams] = useState("*");
  const [keyPrefix, setPrefix] = useState("");
  const [days, setDays] = useState("90");
  const create = async () => {
    const secret = await api.createKey({
      name,
      scopes,
      streams: streams.split(/[\s,]+/).filter(Boolean),
      ...(keyPrefix === "" ? {} : { keyPrefix }),
      ...(days === "90"
        ? {}
        : { expiresAt: new Date(Date.now() + Number(days) * 86_400_000).toISOString() }),
    });
    return () => onSecret(secret);
  };
  return (
    <FormDialog title="Create a key" act="Create" onAct={create} onClose={onClose}>
      <Field label="Name" hint="Who uses it, and for what.">
        <input required value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </Field>
      <fieldset>
        <legend>It may</legend>
        {SCOPES.filter(([scope]) => can(scope)).map(([scope, label]) => (
          <label class="check" key={scope}>
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={(e) =>
                setScopes(
                  e.currentTarget.checked
                    ? [...scopes, scope]
                    : scopes.filter((one) => one !== scope),
                )
              }
            />
            <span>
              <strong>{scope}</strong> <span class="soft">{label}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Field label="Streams" hint="Names, or beginnings of names with *, with commas between.">
        <input
          required
          value={streams}
          autocomplete="off"
          onInput={(e) => setStreams(e.currentTarget.value)}
        />
      </Field>
      <Field label="Only events whose keys begin with" hint="Empty: all events.">
        <input
          value={keyPrefix}
          autocomplete="off"
          onInput={(e) => setPrefix(e.currentTarget.value)}
        />
      </Field>
      <Field label="Expires after (days)">
        <input
          type="number"
          min="1"
          max="365"
          required
          value={days}
          onInput={(e) => setDays(e.currentTarget.value)}
        />
      </Field>
    </FormDialog>
  );
}

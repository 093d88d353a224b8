import { useState } from "preact/hooks";
import { type ApiKey, api, type KeySecret } from "../api.ts";
import { ahead } from "../format.ts";
import { Ago, announce, Empty, Failure, Name, Skeleton, Stale, Tag } from "../parts/basics.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { useLoad, useNow } from "../parts/load.ts";
import { Rows } from "../parts/rows.tsx";
import { visible } from "../visible.ts";
import { KeyDialog } from "./key-dialog.tsx";
import { QuotaDialog } from "./quota-dialog.tsx";
import { KeySecretDialog } from "./secret.tsx";

/** A key that expires within this time is marked. */
const SOON_MS = 14 * 86_400_000;

type Open =
  | { readonly what: "create" }
  | { readonly what: "rotate" | "revoke" | "limit"; readonly key: ApiKey }
  | { readonly what: "secret"; readonly secret: KeySecret };

/** Shows the API keys that this key may see. */
export function KeysView() {
  const [open, setOpen] = useState<Open | undefined>();
  const [withMade, setWithMade] = useState(false);
  const { data, error, at, reload } = useLoad("keys", api.keys, 10_000);
  if (data === undefined) return error === undefined ? <Skeleton /> : <Failure error={error} />;
  const close = () => setOpen(undefined);
  const showSecret = (secret: KeySecret) => {
    setOpen({ what: "secret", secret });
    reload();
  };
  return (
    <>
      <div class="heading">
        <h1>API keys</h1>
        <div class="actions">
          <button type="button" onClick={() => setOpen({ what: "create" })}>
            Create a key
          </button>
        </div>
      </div>
      <Stale error={error} at={at} />
      {data.items.length === 0 ? (
        <Empty title="No key yet">
          <p>Give each service a key of its own, with only the rights that it needs.</p>
        </Empty>
      ) : (
        <Table keys={data.items} onOpen={setOpen} />
      )}
      {data.more && <p class="soft">There are more keys than this page shows.</p>}
      {open?.what === "create" && <KeyDialog onClose={close} onSecret={showSecret} />}
      {open?.what === "secret" && <KeySecretDialog secret={open.secret} onClose={close} />}
      {open?.what === "rotate" && (
        <RotateDialog apiKey={open.key} onClose={close} onSecret={showSecret} />
      )}
      {open?.what === "limit" && <QuotaDialog of={{ key: open.key.id }} onClose={close} />}
      {open?.what === "revoke" && (
        <FormDialog
          title={`Revoke ${visible(open.key.name)}`}
          act="Revoke the key"
          danger
          typed={open.key.id}
          onAct={async () => {
            await api.revokeKey(open.key.id, withMade);
            announce(`The key ${open.key.id} is revoked.`);
            reload();
          }}
          onClose={close}
        >
          <p>It is refused everywhere within 30 seconds. This cannot be undone.</p>
          <label class="check">
            <input
              type="checkbox"
              checked={withMade}
              onChange={(e) => setWithMade(e.currentTarget.checked)}
            />
            Also revoke the keys that it has created
          </label>
        </FormDialog>
      )}
    </>
  );
}

type TableProps = { readonly keys: readonly ApiKey[]; readonly onOpen: (open: Open) => void };

function Table({ keys, onOpen }: TableProps) {
  return (
    <Rows
      label="API keys"
      items={keys}
      keyOf={({ id }) => id}
      columns={[
        { title: "Key", cell: (key) => <KeyName of={key} />, className: "names" },
        { title: "Rights", cell: ({ scopes }) => <Rights scopes={scopes} /> },
        { title: "Streams", cell: (key) => <Name>{boundsOf(key)}</Name> },
        {
          title: "Last used",
          end: true,
          wideOnly: true,
          cell: ({ lastUsedAt }) => <Ago at={lastUsedAt} />,
        },
        { title: "Expires", end: true, cell: ({ expiresAt }) => <Expiry at={expiresAt} /> },
        {
          title: "What to do",
          hidesTitle: true,
          end: true,
          cell: (key) => (
            <div class="actions">
              {!key.scopes.includes("admin") && (
                <button
                  type="button"
                  aria-label={`Limits of ${visible(key.name)}`}
                  onClick={() => onOpen({ what: "limit", key })}
                >
                  Limits
                </button>
              )}
              <button
                type="button"
                aria-label={`Rotate ${visible(key.name)}`}
                onClick={() => onOpen({ what: "rotate", key })}
              >
                Rotate
              </button>
              <button
                type="button"
                class="danger"
                aria-label={`Revoke ${visible(key.name)}`}
                onClick={() => onOpen({ what: "revoke", key })}
              >
                Revoke
              </button>
            </div>
          ),
        },
      ]}
    />
  );
}

function KeyName({ of: { name, id } }: { of: ApiKey }) {
  return (
    <>
      {visible(name)}
      <div class="soft small">
        <Name>{id}</Name>
      </div>
    </>
  );
}

function Rights({ scopes }: Pick<ApiKey, "scopes">) {
  return (
    <span class="tags">
      {scopes.map((scope) => (
        <Tag key={scope}>{scope}</Tag>
      ))}
    </span>
  );
}

function Expiry({ at }: { at: string }) {
  const now = useNow();
  const text = ahead(at, now);
  return Date.parse(at) - now < SOON_MS ? <Tag tone="warn">{text}</Tag> : <span>{text}</span>;
}

const boundsOf = ({ streams, subscriptions, keyPrefix }: ApiKey): string =>
  [
    streams.join(", "),
    ...(subscriptions === undefined ? [] : [`subscriptions ${subscriptions.join(", ")}`]),
    ...(keyPrefix === undefined ? [] : [`keys from ${keyPrefix}`]),
  ].join("; ");

type RotateProps = {
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
  readonly onSecret: (secret: KeySecret) => void;
};

const OVERLAPS = [
  [86_400, "a day"],
  [3_600, "an hour"],
  [604_800, "a week"],
  [0, "no time: it stops at once"],
] as const;

function RotateDialog({ apiKey, onClose, onSecret }: RotateProps) {
  const [overlap, setOverlap] = useState<number>(86_400);
  return (
    <FormDialog
      title={`Rotate ${visible(apiKey.name)}`}
      act="Make a new secret"
      onAct={async () => {
        const secret = await api.rotateKey(apiKey.id, { overlapSeconds: overlap });
        return () => onSecret(secret);
      }}
      onClose={onClose}
    >
      <fieldset>
        <legend>The present secret stays valid for</legend>
        {OVERLAPS.map(([seconds, label]) => (
          <label class="check" key={seconds}>
            <input
              type="radio"
              name="overlap"
              checked={overlap === seconds}
              onChange={() => setOverlap(seconds)}
            />
            {label}
          </label>
        ))}
      </fieldset>
    </FormDialog>
  );
}

import { useState } from "preact/hooks";
import { api, type Quota } from "../api.ts";
import { announce, Failure, Skeleton } from "../parts/basics.tsx";
import { Dialog, Field, FormDialog } from "../parts/dialog.tsx";
import { useLoad } from "../parts/load.ts";

const RATES = [
  ["requestsPerSecond", "Requests a second"],
  ["eventsPerSecond", "Published events a second"],
  ["bytesPerSecond", "Published bytes a second"],
] as const;
const ROOM = [
  ["streams", "Streams"],
  ["subscriptions", "Subscriptions"],
  ["storedBytes", "Stored bytes"],
] as const;

type Props = {
  /** The id of a key, or the name of a tenant. */
  readonly of: { readonly key: string } | { readonly tenant: string };
  readonly onClose: () => void;
};

/** Shows the limits of a key or a tenant, and changes them. */
export function QuotaDialog({ of, onClose }: Props) {
  const name = "key" in of ? of.key : of.tenant;
  const load = (signal: AbortSignal) =>
    "key" in of ? api.keyQuota(of.key, signal) : api.tenantQuota(of.tenant, signal);
  const { data, error } = useLoad(`quota ${name}`, load);
  const title = `Limits of ${name}`;
  if (data === undefined) {
    return (
      <Dialog title={title} onClose={onClose}>
        {error === undefined ? <Skeleton rows={3} /> : <Failure error={error} />}
      </Dialog>
    );
  }
  return <QuotaForm title={title} of={of} quota={data} onClose={onClose} />;
}

type Texts = Partial<Record<keyof Quota, string>>;

function QuotaForm({ title, of, quota, onClose }: Props & { title: string; quota: Quota }) {
  const [texts, setTexts] = useState<Texts>(() =>
    Object.fromEntries(Object.entries(quota).map(([name, value]) => [name, String(value)])),
  );
  const save = async () => {
    const given = Object.entries(texts).filter(([, text]) => text !== "");
    const limits: Quota = Object.fromEntries(given.map(([name, text]) => [name, Number(text)]));
    if ("key" in of) await api.setKeyQuota(of.key, limits);
    else await api.setTenantQuota(of.tenant, limits);
    announce("Every server follows within a minute.");
  };
  return (
    <FormDialog title={title} act="Save" onAct={save} onClose={onClose}>
      <p class="soft">An empty field sets no limit. Reading is limited by requests alone.</p>
      {[...RATES, ...("tenant" in of ? ROOM : [])].map(([name, label]) => (
        <Field key={name} label={label}>
          <input
            type="number"
            min="1"
            value={texts[name] ?? ""}
            onInput={(e) => setTexts({ ...texts, [name]: e.currentTarget.value })}
          />
        </Field>
      ))}
    </FormDialog>
  );
}

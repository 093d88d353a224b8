import { useState } from "preact/hooks";
import { api, type SubscriptionInfo } from "../api.ts";
import { announce } from "../parts/basics.tsx";
import { Field, FormDialog } from "../parts/dialog.tsx";

type Props = {
  readonly stream: string;
  readonly info: SubscriptionInfo;
  readonly onClose: () => void;
  readonly onDone: () => void;
};

/** Changes the lease, the automatic parking and the filter. Only what differs is sent. */
export function SubscriptionDialog({ stream, info, onClose, onDone }: Props) {
  const { name, filter } = info;
  const [lease, setLease] = useState(String(info.leaseSeconds));
  const [deliveries, setDeliveries] = useState(String(info.maxDeliveries ?? ""));
  const [prefix, setPrefix] = useState(filter?.keyPrefix ?? "");
  const [types, setTypes] = useState(filter?.types?.join(", ") ?? "");
  const isFilterSame =
    prefix === (filter?.keyPrefix ?? "") && types === (filter?.types?.join(", ") ?? "");
  const save = async () => {
    const conditions = {
      ...(prefix === "" ? {} : { keyPrefix: prefix }),
      ...(types.trim() === "" ? {} : { types: types.split(",").map((type) => type.trim()) }),
      ...(filter?.headers === undefined ? {} : { headers: filter.headers }),
    };
    const { warnings } = await api.changeSubscription(stream, name, {
      ...(lease === String(info.leaseSeconds) ? {} : { leaseSeconds: Number(lease) }),
      ...(deliveries === String(info.maxDeliveries ?? "")
        ? {}
        : { maxDeliveries: deliveries === "" ? null : Number(deliveries) }),
      ...(isFilterSame ? {} : { filter: Object.keys(conditions).length === 0 ? null : conditions }),
    });
    announce([`The subscription ${name} is changed.`, ...warnings].join(" "));
    onDone();
  };
  return (
    <FormDialog title={`Change ${name}`} act="Save" onAct={save} onClose={onClose}>
      <Field label="Lease of a worker, in seconds">
        <input
          type="number"
          min="1"
          max="600"
          required
          value={lease}
          onInput={(e) => setLease(e.currentTarget.value)}
        />
      </Field>
      <Field
        label="Park a key after this many deliveries"
        hint="Empty: a key is parked only when a consumer asks for it."
      >
        <input
          type="number"
          min="2"
          max="1000"
          value={deliveries}
          onInput={(e) => setDeliveries(e.currentTarget.value)}
        />
      </Field>
      <Field label="Only keys that begin with">
        <input
          value={prefix}
          autocomplete="off"
          onInput={(e) => setPrefix(e.currentTarget.value)}
        />
      </Field>
      <Field label="Only these types" hint="With commas between. Tombstones always pass.">
        <input value={types} autocomplete="off" onInput={(e) => setTypes(e.currentTarget.value)} />
      </Field>
      {!isFilterSame && (
        <p class="hint">
          The new filter applies from the committed position on. Events before it that only the new
          filter lets through are not delivered.
        </p>
      )}
    </FormDialog>
  );
}

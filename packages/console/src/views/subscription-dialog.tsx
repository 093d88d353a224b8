import { useState } from "preact/hooks";
import { api, type SubscriptionInfo } from "../api.ts";
import { announce } from "../parts/basics.tsx";
import { Field, FormDialog, NameField } from "../parts/dialog.tsx";
import { FilterFields, printFilter, readFilter } from "./filter-fields.tsx";

type NewProps = {
  readonly stream: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
};

/** Creates a subscription. */
export function NewSubscriptionDialog({ stream, onClose, onDone }: NewProps) {
  const [name, setName] = useState("");
  const [start, setStart] = useState("earliest");
  const [filter, setFilter] = useState(() => printFilter());
  const create = async () => {
    await api.createSubscription(stream, name, { start, filter: readFilter(filter) });
    announce(`The subscription ${name} is created.`);
    onDone();
  };
  return (
    <FormDialog title={`Subscribe to ${stream}`} act="Create" onAct={create} onClose={onClose}>
      <NameField name={name} onName={setName} />
      <Field label="It begins with">
        <select value={start} onChange={(e) => setStart(e.currentTarget.value)}>
          <option value="earliest">the oldest event that is kept</option>
          <option value="latest">events published from now on</option>
          <option value="bootstrap">the current state of every key, then the events</option>
        </select>
      </Field>
      <FilterFields value={filter} onChange={setFilter} />
    </FormDialog>
  );
}

type Props = NewProps & { readonly info: SubscriptionInfo };

/** Changes the lease, the automatic parking and the filter. Only the differences are sent. */
export function SubscriptionDialog({ stream, info, onClose, onDone }: Props) {
  const { name } = info;
  const [lease, setLease] = useState(String(info.leaseSeconds));
  const [deliveries, setDeliveries] = useState(String(info.maxDeliveries ?? ""));
  const [former] = useState(() => printFilter(info.filter));
  const [filter, setFilter] = useState(former);
  const isFilterSame = JSON.stringify(filter) === JSON.stringify(former);
  const save = async () => {
    const { warnings } = await api.changeSubscription(stream, name, {
      ...(lease === String(info.leaseSeconds) ? {} : { leaseSeconds: Number(lease) }),
      ...(deliveries === String(info.maxDeliveries ?? "")
        ? {}
        : { maxDeliveries: deliveries === "" ? null : Number(deliveries) }),
      ...(isFilterSame ? {} : { filter: readFilter(filter) ?? null }),
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
      <FilterFields value={filter} onChange={setFilter} />
      {!isFilterSame && (
        <p class="hint">
          The new filter applies from the committed position on. Events before it that only the new
          filter lets through are not delivered.
        </p>
      )}
    </FormDialog>
  );
}

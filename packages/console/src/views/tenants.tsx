import { useState } from "preact/hooks";
import { api, type KeySecret } from "../api.ts";
import { Empty, Failure, Moment, Name, Skeleton } from "../parts/basics.tsx";
import { Field, FormDialog } from "../parts/dialog.tsx";
import { useLoad } from "../parts/load.ts";
import { Rows } from "../parts/rows.tsx";
import { QuotaDialog } from "./quota-dialog.tsx";
import { KeySecretDialog } from "./secret.tsx";

/** Shows the tenants of the installation, for the holder of the admin key. */
export function TenantsView() {
  const [creating, setCreating] = useState(false);
  const [name, setName] = useState("");
  const [secret, setSecret] = useState<KeySecret | undefined>();
  const [limited, setLimited] = useState<string | undefined>();
  const { data, error, reload } = useLoad("tenants", api.tenants);
  if (data === undefined) return error === undefined ? <Skeleton /> : <Failure error={error} />;
  return (
    <>
      <div class="heading">
        <h1>Tenants</h1>
        <div class="actions">
          <button type="button" onClick={() => setCreating(true)}>
            Create a tenant
          </button>
        </div>
      </div>
      {data.items.length === 0 ? (
        <Empty title="There is only the tenant default">
          <p>
            Each tenant has streams and keys of its own, which no other tenant can see. Most
            installations need no second one.
          </p>
        </Empty>
      ) : (
        <Rows
          label="Tenants"
          items={data.items}
          keyOf={(tenant) => tenant.name}
          columns={[
            { title: "Tenant", cell: (tenant) => <Name>{tenant.name}</Name>, className: "names" },
            { title: "Created", end: true, cell: ({ createdAt }) => <Moment at={createdAt} /> },
            {
              title: "What to do",
              hidesTitle: true,
              end: true,
              cell: (tenant) => (
                <div class="actions">
                  <button
                    type="button"
                    aria-label={`Limits of ${tenant.name}`}
                    onClick={() => setLimited(tenant.name)}
                  >
                    Limits
                  </button>
                </div>
              ),
            },
          ]}
        />
      )}
      {creating && (
        <FormDialog
          title="Create a tenant"
          act="Create"
          onAct={async () => {
            const { adminKey } = await api.createTenant(name);
            setSecret(adminKey);
            reload();
          }}
          onClose={() => setCreating(false)}
        >
          <Field
            label="Name"
            hint="Lower-case letters, digits, dot, dash and underscore. An existing tenant gets one more key."
          >
            <input
              required
              value={name}
              autocomplete="off"
              onInput={(e) => setName(e.currentTarget.value)}
            />
          </Field>
        </FormDialog>
      )}
      {limited !== undefined && (
        <QuotaDialog of={{ tenant: limited }} onClose={() => setLimited(undefined)} />
      )}
      {secret !== undefined && (
        <KeySecretDialog secret={secret} onClose={() => setSecret(undefined)} />
      )}
    </>
  );
}

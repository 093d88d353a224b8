import type { Filter } from "../api.ts";
import { printHeaders, readHeaders } from "../headers.ts";
import { Field } from "../parts/dialog.tsx";

/** A filter of a subscription as texts, with one line per type and header. */
export type FilterText = {
  readonly keyPrefix: string;
  readonly types: string;
  readonly headers: string;
};

export const printFilter = (filter: Filter = {}): FilterText => ({
  keyPrefix: filter.keyPrefix ?? "",
  types: (filter.types ?? []).join("\n"),
  headers: printHeaders(filter.headers),
});

/** Returns undefined for a filter that leaves nothing out. */
export function readFilter({ keyPrefix, types, headers }: FilterText): Filter | undefined {
  const lines = types.split("\n").filter((type) => type.trim() !== "");
  const conditions = readHeaders(headers);
  const filter = {
    ...(keyPrefix === "" ? {} : { keyPrefix }),
    ...(lines.length === 0 ? {} : { types: lines.map((type) => type.trim()) }),
    ...(conditions === undefined ? {} : { headers: conditions }),
  };
  return Object.keys(filter).length === 0 ? undefined : filter;
}

type Props = { readonly value: FilterText; readonly onChange: (value: FilterText) => void };

export function FilterFields({ value, onChange }: Props) {
  return (
    <>
      <Field label="Only keys that begin with">
        <input
          autocomplete="off"
          spellcheck={false}
          value={value.keyPrefix}
          onInput={(e) => onChange({ ...value, keyPrefix: e.currentTarget.value })}
        />
      </Field>
      <Field label="Only these types" hint="One per line. Tombstones always pass.">
        <textarea
          rows={2}
          spellcheck={false}
          value={value.types}
          onInput={(e) => onChange({ ...value, types: e.currentTarget.value })}
        />
      </Field>
      <Field label="Only with these headers" hint="One per line, such as source: shop.">
        <textarea
          rows={2}
          spellcheck={false}
          value={value.headers}
          onInput={(e) => onChange({ ...value, headers: e.currentTarget.value })}
        />
      </Field>
    </>
  );
}

import { useEffect, useState } from "preact/hooks";
import { readGoTo } from "../events/query.ts";
import { Field } from "../parts/dialog.tsx";
import { show } from "../place.ts";

type Fields = Readonly<Record<string, string>>;

/** The members of the address that the fields set. */
const FILTERS = ["order", "at", "last", "key", "prefix", "type", "header", "find"];
const FIRST = { seq: undefined, of: undefined };

/** Chooses the events that are shown. The address contains every choice. */
export function EventsToolbar({ query }: { query: Fields }) {
  const isAsc = query.order === "asc" || query.last !== undefined;
  const [goTo, setGoTo] = useState(typedOf(query));
  const [key, setKey] = useState(query.key ?? query.prefix ?? "");
  const [isPrefix, setPrefix] = useState(query.prefix !== undefined);
  const [type, setType] = useState(query.type ?? "");
  const [find, setFind] = useState(query.find ?? "");
  const [header, setHeader] = useState(query.header ?? "");
  const [isOpen, setOpen] = useState(false);
  // Back and forward change the address, and the fields follow.
  useEffect(() => {
    setGoTo(typedOf(query));
    setKey(query.key ?? query.prefix ?? "");
    setPrefix(query.prefix !== undefined);
    setType(query.type ?? "");
    setFind(query.find ?? "");
    setHeader(query.header ?? "");
  }, [query]);
  const apply = (isOldestFirst = isAsc) =>
    show({
      ...FIRST,
      order: isOldestFirst ? "asc" : undefined,
      ...(goTo === typedOf(query)
        ? {}
        : goTo.trim() === ""
          ? { at: undefined, last: undefined }
          : readGoTo(goTo, Date.now())),
      key: isPrefix ? undefined : key,
      prefix: isPrefix ? key : undefined,
      type,
      header,
      find,
    });
  const set = FILTERS.filter((name) => query[name] !== undefined).length;
  return (
    <search>
      <button
        type="button"
        class="narrow-only"
        aria-expanded={isOpen}
        aria-controls="filters"
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? "▾" : "▸"} Filter and search{set > 0 && `, ${set} set`}
      </button>
      <form
        id="filters"
        class={isOpen ? "toolbar" : "toolbar folded"}
        onSubmit={(event) => {
          event.preventDefault();
          setOpen(false);
          apply();
        }}
      >
        <Field label="Order">
          <select
            value={isAsc ? "asc" : "desc"}
            onChange={(event) => apply(event.currentTarget.value === "asc")}
          >
            <option value="desc">Newest first</option>
            <option value="asc">Oldest first</option>
          </select>
        </Field>
        <Field label="Go to">
          <input
            placeholder="14:02, 15m, #42"
            value={goTo}
            autocomplete="off"
            onInput={(event) => setGoTo(event.currentTarget.value)}
          />
        </Field>
        <Field label={isPrefix ? "Key begins with" : "Key"}>
          <input
            value={key}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </Field>
        <button type="button" aria-pressed={isPrefix} onClick={() => setPrefix(!isPrefix)}>
          Prefix
        </button>
        <Field label="Type">
          <input
            value={type}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setType(event.currentTarget.value)}
          />
        </Field>
        <Field label="Header">
          <input
            placeholder="source: shop"
            value={header}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setHeader(event.currentTarget.value)}
          />
        </Field>
        <Field label="Search in the data">
          <input
            type="search"
            data-search
            value={find}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setFind(event.currentTarget.value)}
          />
        </Field>
        <button type="submit" class="primary">
          Show
        </button>
      </form>
    </search>
  );
}

/** Returns what the field for the place shows when an address is opened. */
function typedOf({ at = "", last }: Fields): string {
  if (last !== undefined) return `last ${last}`;
  return /^\d+$/.test(at) ? `#${at}` : at;
}

import { useState } from "preact/hooks";
import { api, type Event } from "../api.ts";
import { count, counted } from "../format.ts";
import { Ago, Empty, Failure, Name, Skeleton } from "../parts/basics.tsx";
import { Field } from "../parts/dialog.tsx";
import { useAction, useLoad } from "../parts/load.ts";
import { Rows } from "../parts/rows.tsx";
import { go, href, place, show } from "../place.ts";
import { glimpse, visible } from "../visible.ts";

const PAGE = 100;

/** Shows the current states of a stream's keys, and a way to any key. */
export function StatesView({ stream }: { stream: string }) {
  const [key, setKey] = useState("");
  const prefix = place.value.query.prefix ?? "";
  const [typed, setTyped] = useState(prefix);
  const query = { limit: PAGE, ...(prefix === "" ? {} : { keyPrefix: prefix }) };
  const { data, error } = useLoad(`states ${stream} ${prefix}`, (signal) =>
    api.states(stream, query, signal),
  );
  return (
    <>
      <div class="toolbar">
        <form
          class="toolbar"
          onSubmit={(event) => {
            event.preventDefault();
            if (key !== "") go(["streams", stream, "key"], { key });
          }}
        >
          <Field label="Open a key">
            <input
              value={key}
              autocomplete="off"
              spellcheck={false}
              onInput={(e) => setKey(e.currentTarget.value)}
            />
          </Field>
          <button type="submit">Open</button>
        </form>
        <form
          class="toolbar"
          onSubmit={(event) => {
            event.preventDefault();
            show({ prefix: typed });
          }}
        >
          <Field label="Keys that begin with">
            <input
              type="search"
              data-search
              value={typed}
              autocomplete="off"
              spellcheck={false}
              onInput={(e) => setTyped(e.currentTarget.value)}
            />
          </Field>
          <button type="submit">Show</button>
        </form>
      </div>
      {data === undefined ? (
        error === undefined ? (
          <Skeleton />
        ) : (
          <Failure error={error} />
        )
      ) : (
        <States key={prefix} stream={stream} prefix={prefix} first={data} />
      )}
    </>
  );
}

type Page = { readonly items: readonly Event[]; readonly cursor: string | null };
type StatesProps = { readonly stream: string; readonly prefix: string; readonly first: Page };

function States({ stream, prefix, first }: StatesProps) {
  const [page, setPage] = useState(first);
  const more = useAction(async () => {
    const next = await api.states(stream, {
      limit: PAGE,
      cursor: page.cursor ?? undefined,
      ...(prefix === "" ? {} : { keyPrefix: prefix }),
    });
    setPage({ items: [...page.items, ...next.items], cursor: next.cursor });
  });
  if (page.items.length === 0 && page.cursor === null) {
    return (
      <Empty title="No key has a state here">
        <p>
          A key appears here once compaction has read its last event, a few seconds after it was
          published.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <Rows
        label="Current states"
        items={page.items}
        keyOf={({ key }) => key}
        columns={[
          {
            title: "Key",
            className: "names",
            cell: ({ key }) => (
              <a href={href(["streams", stream, "key"], { key })} data-row>
                <Name>{key}</Name>
              </a>
            ),
          },
          { title: "Type", wideOnly: true, cell: ({ type }) => visible(type ?? "") },
          {
            title: "State",
            cell: ({ data }) => <div class="mono soft clip">{glimpse(data ?? "null", 160)}</div>,
          },
          { title: "Sequence", end: true, wideOnly: true, cell: ({ sequence }) => count(sequence) },
          { title: "Changed", end: true, cell: ({ publishedAt }) => <Ago at={publishedAt} /> },
        ]}
      />
      <Failure error={more.error} />
      <div class="log-foot" tabIndex={-1}>
        <span>
          {counted(page.items.length, "key")}
          {page.cursor === null && ", all there are"}
        </span>
        {page.cursor !== null && (
          <button type="button" aria-disabled={more.busy} onClick={() => void more.run()}>
            Go on
          </button>
        )}
      </div>
    </>
  );
}

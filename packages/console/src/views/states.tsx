import { useState } from "preact/hooks";
import { api, type Event } from "../api.ts";
import { count } from "../format.ts";
import { Ago, Empty, Failure, Name, Skeleton } from "../parts/basics.tsx";
import { Field } from "../parts/dialog.tsx";
import { useAction, useLoad } from "../parts/load.ts";
import { go, href, place, show } from "../place.ts";
import { glimpse, visible } from "../visible.ts";

const PAGE = 100;

/** The current states of a stream's keys, and a way to any key. */
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
      <section class="table" tabIndex={0} aria-label="Current states">
        <table>
          <thead>
            <tr>
              <th>Key</th>
              <th class="wide-only">Type</th>
              <th>State</th>
              <th class="end wide-only">Sequence</th>
              <th class="end">Changed</th>
            </tr>
          </thead>
          <tbody>
            {page.items.map(({ key, type, data, sequence, publishedAt }) => (
              <tr key={key}>
                <td>
                  <a href={href(["streams", stream, "key"], { key })} data-row>
                    <Name>{key}</Name>
                  </a>
                </td>
                <td class="wide-only">{visible(type ?? "")}</td>
                <td class="mono soft clip">{glimpse(data ?? "null", 160)}</td>
                <td class="end wide-only">{count(sequence)}</td>
                <td class="end">
                  <Ago at={publishedAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Failure error={more.error} />
      <div class="log-foot">
        <span>
          {count(page.items.length)} keys{page.cursor === null && ", all there are"}
        </span>
        {page.cursor !== null && (
          <button type="button" disabled={more.busy} onClick={() => void more.run()}>
            Go on
          </button>
        )}
      </div>
    </>
  );
}

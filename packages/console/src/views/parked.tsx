import { useState } from "preact/hooks";
import { api, type ParkedKey } from "../api.ts";
import { count, counted } from "../format.ts";
import { Ago, announce, Empty, Failure, Name, Skeleton, Stale, Tag } from "../parts/basics.tsx";
import { FormDialog } from "../parts/dialog.tsx";
import { useLoad } from "../parts/load.ts";
import { endIfRefused } from "../parts/refused.ts";
import { type Column, Rows } from "../parts/rows.tsx";
import { href } from "../place.ts";
import { can } from "../session.ts";
import { visible } from "../visible.ts";

type Props = { readonly stream: string; readonly subscription: string };

type Verb = "retry" | "skip";
type Result = { readonly isDone: boolean; readonly text: string };

/**
 * Shows the parked keys of a subscription, and what can be done with them: retry and skip, alone or
 * together.
 */
export function ParkedView({ stream, subscription }: Props) {
  const { data, error, at, reload } = useLoad(
    `parked ${stream} ${subscription}`,
    (signal) => api.parked(stream, subscription, signal),
    4_000,
  );
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const [skipping, setSkipping] = useState<readonly ParkedKey[] | undefined>();
  const [busy, setBusy] = useState(false);
  if (data === undefined) return error === undefined ? <Skeleton /> : <Failure error={error} />;
  const { items } = data;
  const marked = items.filter(({ key }) => chosen.has(key));
  const mayOperate = can("operate");

  /** Each key has its own request, so that one refusal does not stop the others. */
  const perform = async (verb: Verb, parked: readonly ParkedKey[]) => {
    if (busy || parked.length === 0) return;
    setBusy(true);
    let done = 0;
    for (const one of parked) {
      const result = await release(stream, subscription, verb, one);
      if (result.isDone) done += 1;
      setResults((former) => new Map(former).set(one.key, result));
    }
    setBusy(false);
    setChosen(new Set());
    announce(`${verb === "retry" ? "Retried" : "Skipped"} ${done} of ${parked.length}.`);
    reload();
  };
  const skip = (parked: readonly ParkedKey[]) => {
    if (!busy && parked.length > 0) setSkipping(parked);
  };
  return (
    <>
      <div class="heading">
        <h2>Parked keys</h2>
        <a href={href(["streams", stream, "subscriptions", subscription])}>The subscription</a>
        {mayOperate && items.length > 0 && (
          <div class="actions">
            <button
              type="button"
              aria-disabled={busy || marked.length === 0}
              onClick={() => void perform("retry", marked)}
            >
              Retry {count(marked.length)}
            </button>
            <button
              type="button"
              class="danger"
              aria-disabled={busy || marked.length === 0}
              onClick={() => skip(marked)}
            >
              Skip {count(marked.length)}
            </button>
          </div>
        )}
      </div>
      <Stale error={error} at={at} />
      <Results results={results} />
      {items.length === 0 ? (
        <Empty title="No key is parked">
          <p>When an event cannot be processed, its key waits here, and all others go on.</p>
        </Empty>
      ) : (
        <Rows
          label="Parked keys"
          items={items}
          keyOf={({ key }) => key}
          columns={columnsOf({
            stream,
            items,
            chosen,
            busy,
            onChoose: setChosen,
            onRetry: (parked) => void perform("retry", [parked]),
            onSkip: (parked) => skip([parked]),
          })}
        />
      )}
      {skipping !== undefined && (
        <FormDialog
          title={skipTitle(skipping)}
          act="Skip"
          danger
          onAct={() => perform("skip", skipping)}
          onClose={() => setSkipping(undefined)}
        >
          <p>
            This subscription never receives the parked event. The later events of the key are
            delivered in their order.
          </p>
        </FormDialog>
      )}
    </>
  );
}

const skipTitle = ([first, ...others]: readonly ParkedKey[]): string =>
  others.length === 0
    ? `Skip the event of ${visible(first?.key ?? "")}`
    : `Skip the events of ${others.length + 1} keys`;

async function release(
  stream: string,
  subscription: string,
  verb: Verb,
  parked: ParkedKey,
): Promise<Result> {
  try {
    const { status } = await (verb === "retry"
      ? api.retry(stream, subscription, parked.key)
      : api.skip(stream, subscription, parked));
    return { isDone: true, text: status === "free" ? "free" : "its events are delivered again" };
  } catch (error) {
    endIfRefused(error);
    return { isDone: false, text: error instanceof Error ? error.message : String(error) };
  }
}

function Results({ results }: { results: ReadonlyMap<string, Result> }) {
  if (results.size === 0) return null;
  return (
    <section class="card" aria-label="Results">
      <h2>{counted(results.size, "result")}</h2>
      <ul class="results">
        {[...results].map(([key, { isDone, text }]) => (
          <li key={key}>
            <Tag tone={isDone ? "good" : "bad"}>{isDone ? "done" : "refused"}</Tag>{" "}
            <Name>{key}</Name> <span class="soft">{visible(text)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Table = {
  readonly stream: string;
  readonly items: readonly ParkedKey[];
  readonly chosen: ReadonlySet<string>;
  readonly busy: boolean;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
  readonly onRetry: (parked: ParkedKey) => void;
  readonly onSkip: (parked: ParkedKey) => void;
};

function columnsOf(table: Table): readonly (Column<ParkedKey> | undefined)[] {
  const { stream, busy, onRetry, onSkip } = table;
  const mayOperate = can("operate");
  return [
    mayOperate ? choice(table) : undefined,
    {
      title: "Key",
      className: "names",
      cell: (parked) => <KeyName stream={stream} parked={parked} />,
    },
    {
      title: "Reason",
      className: "reason",
      cell: ({ reason }) =>
        reason === "" ? <span class="soft">none</span> : <span>{visible(reason)}</span>,
    },
    {
      title: "Event",
      end: true,
      cell: ({ key, sequence }) => (
        <a href={href(["streams", stream, "events"], { key, seq: sequence, of: key })}>
          {count(sequence)}
        </a>
      ),
    },
    { title: "Parked", end: true, cell: ({ parkedAt }) => <Ago at={parkedAt} /> },
    mayOperate
      ? {
          title: "What to do",
          hidesTitle: true,
          end: true,
          cell: (parked) => (
            <div class="actions">
              <button
                type="button"
                aria-label={`Retry ${visible(parked.key)}`}
                aria-disabled={busy}
                onClick={() => onRetry(parked)}
              >
                Retry
              </button>
              <button
                type="button"
                class="danger"
                aria-label={`Skip ${visible(parked.key)}`}
                aria-disabled={busy}
                onClick={() => onSkip(parked)}
              >
                Skip
              </button>
            </div>
          ),
        }
      : undefined,
  ];
}

const choice = ({ items, chosen, onChoose }: Table): Column<ParkedKey> => ({
  title: "Chosen",
  hidesTitle: true,
  className: "choice",
  head: (
    <input
      type="checkbox"
      aria-label="All keys"
      checked={items.every(({ key }) => chosen.has(key))}
      onChange={(e) =>
        onChoose(new Set(e.currentTarget.checked ? items.map(({ key }) => key) : []))
      }
    />
  ),
  cell: ({ key }) => (
    <input
      type="checkbox"
      aria-label={`Choose ${visible(key)}`}
      checked={chosen.has(key)}
      onChange={() => onChoose(toggled(chosen, key))}
    />
  ),
});

function KeyName({ stream, parked }: { stream: string; parked: ParkedKey }) {
  const { key, status, expired } = parked;
  return (
    <>
      <a href={href(["streams", stream, "key"], { key })} data-row>
        <Name>{key}</Name>
      </a>{" "}
      {status === "retrying" && <Tag>retrying</Tag>}
      {expired === true && <Tag tone="bad">event is no longer kept</Tag>}
    </>
  );
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

import { useEffect, useRef } from "preact/hooks";
import { api, type Event } from "../api.ts";
import { bytes, count, goneWord } from "../format.ts";
import { JsonView } from "../json/json-view.tsx";
import {
  CopyButton,
  type Fact,
  Facts,
  Failure,
  Moment,
  Name,
  Skeleton,
  Tag,
} from "../parts/basics.tsx";
import { useLoad } from "../parts/load.ts";
import { href, show } from "../place.ts";
import { can } from "../session.ts";
import { visible } from "../visible.ts";

type Props = {
  readonly stream: string;
  readonly sequence: number;
  readonly eventKey: string | undefined;
  /** The event, if the list has it already. */
  readonly known: Event | undefined;
  readonly onPublish: (like: Partial<Event>) => void;
};

/** Shows one event with all its members. */
export function EventPanel({ stream, sequence, eventKey, known, onPublish }: Props) {
  const { data, error } = useLoad(`event ${stream} ${sequence} ${eventKey}`, async (signal) => {
    if (known !== undefined) return known;
    const page = await api.events(stream, { sequence, key: eventKey }, signal);
    return page.events[0];
  });
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    // At the width of a phone, the panel replaces the list.
    const list = document.querySelector<HTMLElement>("[role=grid]");
    if (list?.offsetParent === null) panel.current?.focus();
  }, []);
  const close = () => show({ seq: undefined, of: undefined });
  return (
    <section
      ref={panel}
      class="card panel"
      tabIndex={-1}
      data-focus-after="[role=grid]"
      aria-label={`Event ${sequence}`}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <header>
        <h2>Event {count(sequence)}</h2>
        {data?.data === null && <Tag tone="warn">{goneWord(data)}</Tag>}
        <div class="actions">
          <button type="button" class="quiet" onClick={close}>
            Close
          </button>
        </div>
      </header>
      <Failure error={error} />
      {data === undefined ? (
        error === undefined && <Skeleton rows={4} />
      ) : (
        <WholeEvent stream={stream} event={data} onPublish={onPublish} />
      )}
    </section>
  );
}

type WholeProps = Pick<Props, "stream" | "onPublish"> & { readonly event: Event };

function WholeEvent({ stream, event, onPublish }: WholeProps) {
  return (
    <>
      <Facts facts={factsOf(stream, event)} />
      {event.headers !== undefined && (
        <>
          <h3>Headers</h3>
          <Facts
            facts={Object.entries(event.headers).map(
              ([name, value]) => [visible(name), visible(value), "whole"] as const,
            )}
          />
        </>
      )}
      <header class="data-head">
        <h3>Data</h3>
        {event.data !== null && (
          <>
            <span class="soft small">{bytes(new TextEncoder().encode(event.data).length)}</span>
            <CopyButton text={event.data} label="Copy the data" />
          </>
        )}
        {can("publish") && (
          <button type="button" class="quiet" onClick={() => onPublish(event)}>
            Publish one like it
          </button>
        )}
      </header>
      {event.data === null ? (
        <p class="soft">None. The event deletes the key from the current state.</p>
      ) : (
        <JsonView json={event.data} label="Data of the event" />
      )}
    </>
  );
}

/** A longer value takes the whole line. */
const HALF_CHARS = 22;

const sizeOf = (text = ""): "whole" | undefined => (text.length > HALF_CHARS ? "whole" : undefined);

const factsOf = (stream: string, event: Event): readonly Fact[] => [
  [
    "Key",
    <a key="key" href={href(["streams", stream, "key"], { key: event.key })}>
      <Name>{event.key}</Name>
    </a>,
    sizeOf(event.key),
  ],
  ["Type", event.type === undefined ? "none" : visible(event.type), sizeOf(event.type)],
  ["Published", <Moment key="published" at={event.publishedAt} />],
  ...(event.time === undefined
    ? []
    : [["Happened", <Moment key="time" at={event.time} />] satisfies Fact]),
  ["Id", <Name key="id">{event.id}</Name>, "whole"],
];

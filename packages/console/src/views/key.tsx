import { useState } from "preact/hooks";
import { LedgerProblem } from "../../../sdk/src/index.ts";
import { api, type Event } from "../api.ts";
import { count, counted, moment } from "../format.ts";
import { JsonView } from "../json/json-view.tsx";
import { CopyButton, Empty, Failure, Name, Skeleton, Tag } from "../parts/basics.tsx";
import { useAction, useLoad } from "../parts/load.ts";
import { href, place, show } from "../place.ts";
import { glimpse, visible } from "../visible.ts";
import { Compared } from "./compared.tsx";

const PAGE = 100;

type Versions = {
  readonly events: readonly Event[];
  readonly cursor: string;
  readonly isComplete: boolean;
};

/** Shows a key: its versions, two of them side by side, and its current state. */
export function KeyView({ stream, of }: { stream: string; of: string }) {
  const versions = useLoad(`versions ${stream} ${of}`, (signal) =>
    readVersions(stream, of, signal),
  );
  if (versions.data === undefined) {
    return versions.error === undefined ? <Skeleton /> : <Failure error={versions.error} />;
  }
  return (
    <>
      <div class="heading">
        <h2>
          Key <Name>{of}</Name>
        </h2>
        <CopyButton text={of} label="Copy the key" />
        <a href={href(["streams", stream, "events"], { key: of })}>Its events</a>
      </div>
      <CurrentState stream={stream} of={of} versions={versions.data} />
      <VersionList key={of} stream={stream} of={of} first={versions.data} />
    </>
  );
}

type StateProps = {
  readonly stream: string;
  readonly of: string;
  readonly versions: Versions;
};

/** How often a state is requested again while compaction has not reached the key's last event. */
const LATE_EVERY_MS = 3_000;
const UNREAD = "Compaction has not read the key yet.";

/** Shows the compacted state of a key, or why there is none. */
function CurrentState({ stream, of, versions }: StateProps) {
  const [newest] = versions.events;
  const isDeleted = newest?.data === null;
  const [isLate, setLate] = useState(false);
  const { data, error } = useLoad(
    `state ${stream} ${of} ${isDeleted}`,
    async (signal) => {
      if (isDeleted) return `Event ${count(newest.sequence)} deletes the key.`;
      const state = await readState(stream, of, versions, signal);
      const sequence = typeof state === "string" ? 0 : state.sequence;
      setLate(state === UNREAD || (sequence > 0 && sequence < (newest?.sequence ?? 0)));
      return state;
    },
    isLate ? LATE_EVERY_MS : undefined,
  );
  return (
    <section class="card" aria-label="Current state">
      <header>
        <h2>Current state</h2>
        {typeof data === "object" && <Lateness state={data} newest={newest} />}
      </header>
      <Failure error={error} />
      {typeof data === "object" && (
        <JsonView json={data.data ?? "null"} label="Current state of the key" />
      )}
      {typeof data === "string" && <p class="soft">{visible(data)}</p>}
    </section>
  );
}

/** Returns the state of a key, or the reason why it has none. */
async function readState(
  stream: string,
  key: string,
  { events, isComplete }: Versions,
  signal: AbortSignal,
): Promise<Event | string> {
  const info = await api.stream(stream, signal);
  const { compaction, partitions, epochs, eventCount = 0, watermarkLag } = info;
  if (compaction === "none") return "The stream does not keep the current state of keys.";
  const oldest =
    isComplete && partitions === 1 && epochs === undefined ? (events.at(-1)?.sequence ?? 0) : 0;
  if (oldest > eventCount - (watermarkLag?.events ?? 0)) return UNREAD;
  return api.state(stream, key, signal).catch((error: unknown) => {
    if (!LedgerProblem.is(error, "key-not-found")) throw error;
    return String(error.body.detail ?? error.code);
  });
}

async function readVersions(
  stream: string,
  key: string,
  signal?: AbortSignal,
  from?: string,
): Promise<Versions> {
  const query = { key, order: "desc", limit: PAGE, from };
  const page = await api.events(stream, query, signal);
  return { events: page.events, cursor: page.cursor, isComplete: page.caughtUp };
}

/** Shows whether the state is that of the newest event, as far as compaction has read. */
function Lateness({ state, newest }: { state: Event; newest: Event | undefined }) {
  if (newest === undefined || newest.sequence <= state.sequence) {
    return <Tag tone="good">of event {count(state.sequence)}</Tag>;
  }
  return (
    <Tag tone="warn">
      of event {count(state.sequence)}; compaction has not read event {count(newest.sequence)} yet
    </Tag>
  );
}

type ListProps = { readonly stream: string; readonly of: string; readonly first: Versions };

function VersionList({ stream, of, first }: ListProps) {
  const [versions, setVersions] = useState(first);
  const more = useAction(async () => {
    const next = await readVersions(stream, of, undefined, versions.cursor);
    setVersions({ ...next, events: [...versions.events, ...next.events] });
  });
  const { events } = versions;
  const { left, right } = place.value.query;
  const [newest, former] = events;
  const rightEvent = events.find(({ sequence }) => String(sequence) === right) ?? newest;
  const leftEvent =
    events.find(({ sequence }) => String(sequence) === left) ??
    (rightEvent === newest ? former : newest);
  if (newest === undefined) {
    return (
      <Empty title="The log has no event of this key">
        <p>It was never published, or its events are older than the stream keeps them.</p>
      </Empty>
    );
  }
  return (
    <section class="card" aria-label="Versions">
      <header>
        <h2>{counted(events.length, "version")}</h2>
        {!versions.isComplete && (
          <button type="button" aria-disabled={more.busy} onClick={() => void more.run()}>
            Older ones
          </button>
        )}
      </header>
      <Failure error={more.error} />
      <section class="table versions" tabIndex={0} aria-label="List of versions">
        <table>
          <thead>
            <tr>
              <th>Left</th>
              <th>Right</th>
              <th class="end">Sequence</th>
              <th>Published</th>
              <th class="wide-only">Type</th>
            </tr>
          </thead>
          <tbody>
            {events.map((event) => (
              <tr key={event.sequence}>
                <Choice side="left" of={event} isOn={event === leftEvent} />
                <Choice side="right" of={event} isOn={event === rightEvent} />
                <td class="end">
                  <a
                    data-row
                    href={href(["streams", stream, "events"], {
                      key: of,
                      seq: event.sequence,
                      of,
                    })}
                  >
                    {count(event.sequence)}
                  </a>
                </td>
                <td class="line">
                  {moment(event.publishedAt)}
                  <div class="narrow-only small">
                    <What of={event} />
                  </div>
                </td>
                <td class="wide-only">
                  <What of={event} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {leftEvent !== undefined && rightEvent !== undefined && leftEvent !== rightEvent && (
        <Compared left={leftEvent} right={rightEvent} />
      )}
    </section>
  );
}

function What({ of: { data, type = "" } }: { of: Event }) {
  return data === null ? <Tag tone="warn">tombstone</Tag> : <span>{glimpse(type, 80)}</span>;
}

type ChoiceProps = { readonly side: "left" | "right"; readonly of: Event; readonly isOn: boolean };

function Choice({ side, of, isOn }: ChoiceProps) {
  return (
    <td>
      <input
        type="radio"
        name={side}
        aria-label={`Event ${of.sequence} on the ${side}`}
        checked={isOn}
        onChange={() => show({ [side]: of.sequence }, { replace: true })}
      />
    </td>
  );
}

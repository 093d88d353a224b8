import { useEffect, useState } from "preact/hooks";
import { clock, day } from "../format.ts";
import { JsonView } from "../json/json-view.tsx";
import { announce, Empty, Facts, Failure, Name, Skeleton, Tag } from "../parts/basics.tsx";
import { Field } from "../parts/dialog.tsx";
import { useAction } from "../parts/load.ts";
import { endIfRefused } from "../parts/refused.ts";
import { visible } from "../visible.ts";
import { answerOf, api, type Event, type Target } from "./api.ts";
import { momentOf } from "./moments.ts";
import { bearer } from "./session.ts";

const PAGE = 50;
/** An answer may be empty although more events follow, so up to this many are read in a row. */
const LOOKS = 5;

type Choice = { readonly keyPrefix: string; readonly since: string | undefined };
type Found = {
  readonly events: readonly Event[];
  readonly cursor: string;
  readonly isEnd: boolean;
};

/** Reads the next events: the newest first, or from a time on. */
async function readOn(
  stream: string,
  { keyPrefix, since }: Choice,
  cursor: string | undefined,
  signal?: AbortSignal,
): Promise<Found> {
  const order = since === undefined ? "desc" : undefined;
  let from = cursor ?? since ?? "latest";
  for (let looks = 1; ; looks += 1) {
    const page = await api.events(stream, { from, order, keyPrefix, limit: PAGE }, signal);
    const { events, caughtUp: isEnd } = page;
    if (events.length > 0 || isEnd || looks === LOOKS) {
      return { events, cursor: page.cursor, isEnd };
    }
    from = page.cursor;
  }
}

/** The events of a stream that the token covers. */
export function Events({ stream, targets }: { stream: string; targets: readonly Target[] }) {
  const [prefix, setPrefix] = useState("");
  const [time, setTime] = useState("");
  const [choice, setChoice] = useState<Choice>({ keyPrefix: "", since: undefined });
  const [found, setFound] = useState<Found | undefined>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const controller = new AbortController();
    setFound(undefined);
    setError(undefined);
    readOn(stream, choice, undefined, controller.signal).then(setFound, (caught) => {
      if (!controller.signal.aborted && !endIfRefused(caught)) setError(caught);
    });
    return () => controller.abort();
  }, [stream, choice]);
  const more = useAction(async () => {
    if (found === undefined) return;
    const next = await readOn(stream, choice, found.cursor);
    setFound({ ...next, events: [...found.events, ...next.events] });
  });
  const isBack = choice.since === undefined;
  return (
    <section aria-label="Events" class="stack">
      <form
        class="filter"
        onSubmit={(event) => {
          event.preventDefault();
          setChoice({ keyPrefix: prefix, since: momentOf(time) });
        }}
      >
        <Field label="Key begins with">
          <input
            value={prefix}
            placeholder={visible(bearer.value?.keyPrefix ?? "")}
            autocomplete="off"
            onInput={(e) => setPrefix(e.currentTarget.value)}
          />
        </Field>
        <Field label="From">
          <input
            type="datetime-local"
            step={1}
            value={time}
            onInput={(e) => setTime(e.currentTarget.value)}
          />
        </Field>
        <button type="submit">{time === "" ? "Show the newest" : "Show from then on"}</button>
      </form>
      <Failure error={error} />
      {found === undefined && error === undefined && <Skeleton />}
      {found?.events.length === 0 && found.isEnd && <Empty title="No events" />}
      {found !== undefined && found.events.length > 0 && (
        <ol class="log" aria-label="Events">
          {found.events.map((event) => (
            <EventRow key={`${event.sequence} ${event.key}`} event={event} targets={targets} />
          ))}
        </ol>
      )}
      <Failure error={more.error} />
      {found !== undefined && !found.isEnd && (
        <button type="button" aria-disabled={more.busy} onClick={() => void more.run()}>
          {isBack ? "Show older events" : "Show later events"}
        </button>
      )}
    </section>
  );
}

function EventRow({ event, targets }: { event: Event; targets: readonly Target[] }) {
  const [isOpen, setOpen] = useState(false);
  const { publishedAt, key, type, data } = event;
  return (
    <li>
      <details onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary>
          <time dateTime={publishedAt} title={publishedAt}>
            {day(publishedAt)} {clock(publishedAt).slice(0, 8)}
          </time>
          <Name>{key}</Name>
          <span class="soft">
            {data === null ? <Tag tone="warn">deleted</Tag> : visible(type ?? "")}
          </span>
        </summary>
        {isOpen && <Whole event={event} targets={targets} />}
      </details>
    </li>
  );
}

function Whole({ event, targets }: { event: Event; targets: readonly Target[] }) {
  const { id, sequence, headers = {}, data } = event;
  return (
    <div class="stack whole-event">
      <Facts
        facts={[
          ["Id", <Name key="id">{id}</Name>],
          ["Sequence", String(sequence)],
          ...Object.entries(headers).map(([name, value]) => [name, visible(value)] as const),
        ]}
      />
      {data !== null && <JsonView json={data} label="Data" />}
      {targets.map((target) => (
        <Resend key={target.subscription} target={target} event={event} />
      ))}
    </div>
  );
}

/** A button that sends an event to an endpoint once more. */
export function Resend({
  target,
  event,
}: {
  target: Target;
  event: Pick<Event, "key" | "sequence">;
}) {
  const action = useAction(async () => {
    const attempt = await api.resend(target, event);
    if (!attempt.delivered)
      throw new Error(`The endpoint did not accept it: ${answerOf(attempt)}.`);
    announce(`Sent. The endpoint ${answerOf(attempt)}.`);
  });
  return (
    <>
      <button type="button" aria-disabled={action.busy} onClick={() => void action.run()}>
        Send again{" "}
        <span class="unseen">
          {visible(event.key)} to {target.subscription}
        </span>
      </button>
      <Failure error={action.error} />
    </>
  );
}

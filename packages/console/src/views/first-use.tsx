import { useEffect, useRef } from "preact/hooks";
import { api, type StreamInfo } from "../api.ts";
import { announce, CopyButton, Failure } from "../parts/basics.tsx";
import { useAction } from "../parts/load.ts";
import { go } from "../place.ts";
import { apiKey, can } from "../session.ts";

type Props = { readonly streams: readonly StreamInfo[]; readonly onCreated: () => void };

const SAMPLE = '{"key":"order-1","type":"order.placed","data":{"total":42}}';

/** Returns the requests that create a stream, if there is none, and publish its first event. */
export function firstRequests(origin: string, key: string, stream: string, isNew: boolean): string {
  const head = `curl ${origin}/streams`;
  const options = [
    ...(key === "" ? [] : [`  -H "Authorization: Bearer ${key}"`]),
    "  -H 'Content-Type: application/json'",
  ];
  const request = (path: string, body: string) =>
    [`${head}${path}`, ...options, `  -d '${body}'`].join(" \\\n");
  const create = request("", `{"name":"${stream}"}`);
  const publish = request(`/${stream}/events`, SAMPLE);
  return isNew ? `${create}\n\n${publish}` : publish;
}

/** Shows what to do with an empty ledger. It opens the first event when it arrives. */
export function FirstUse({ streams, onCreated }: Props) {
  const [first] = streams;
  const stream = first?.name ?? "orders";
  const isNew = first === undefined;
  const mayPublish = can("publish") && (!isNew || can("admin", { unbound: true }));
  const commands = firstRequests(location.origin, apiKey.value ?? "", stream, isNew);
  useFirstEvent(stream);
  const publish = useAction(async () => {
    if (isNew) await api.createStream(stream);
    await api.publish(stream, { key: "order-1", type: "order.placed", data: '{"total":42}' });
    onCreated();
  });
  if (!mayPublish) {
    return (
      <div class="card">
        <h2>No event yet</h2>
        <p class="soft">
          This key cannot publish{isNew && " to a new stream"}. As soon as an event arrives, it
          appears here.
        </p>
      </div>
    );
  }
  return (
    <div class="card">
      <header>
        <h2>Publish your first event</h2>
        <div class="actions">
          <CopyButton text={commands} label="Copy the commands" />
        </div>
      </header>
      <p class="soft">
        Paste this into a terminal. It has your key. As soon as the event arrives, it opens here.
      </p>
      <pre class="code" tabIndex={0}>
        {commands}
      </pre>
      <Failure error={publish.error} />
      <div class="log-foot" tabIndex={-1}>
        <span class="live on">Waiting for the first event</span>
        <button type="button" aria-disabled={publish.busy} onClick={() => void publish.run()}>
          Publish it from here
        </button>
        <a href="/docs">What to do next</a>
      </div>
    </div>
  );
}

const LOOK_EVERY_MS = 1_500;

/** Opens the stream as soon as it has an event. */
function useFirstEvent(stream: string): void {
  const isOpen = useRef(false);
  useEffect(() => {
    const timer = setInterval(async () => {
      if (document.hidden) return;
      const { items } = await api.streams().catch(() => ({ items: [] }));
      const filled = items.find(({ eventCount = 0 }) => eventCount > 0);
      if (filled === undefined || isOpen.current) return;
      isOpen.current = true;
      announce(`The first event is in ${filled.name}.`);
      go(["streams", filled.name, "events"]);
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [stream]);
}

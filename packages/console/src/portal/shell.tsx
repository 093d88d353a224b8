import { useState } from "preact/hooks";
import { Empty, Failure, note, Skeleton } from "../parts/basics.tsx";
import type { Target } from "./api.ts";
import { Endpoints } from "./endpoint.tsx";
import { Events } from "./events.tsx";
import { type Bearer, bearer, ended } from "./session.ts";

/** The whole portal: events, and endpoints where the token has them. */
export function Portal() {
  const { value } = bearer;
  return (
    <main id="main" class="portal">
      {value === undefined ? <Waiting /> : <Parts bearer={value} />}
      <div class="note" role="status" aria-live="polite">
        {note.value}
      </div>
    </main>
  );
}

function Waiting() {
  if (ended.value === undefined) return <Skeleton />;
  return (
    <>
      <h1>No access</h1>
      <Failure error={ended.value} />
    </>
  );
}

/** Returns the pairs of streams and subscriptions that a token covers. Some may not exist. */
const targetsOf = ({ streams, subscriptions = [] }: Bearer): Target[] =>
  streams.flatMap((stream) => subscriptions.map((subscription) => ({ stream, subscription })));

function Parts({ bearer: of }: { bearer: Bearer }) {
  const { portalScopes = [], streams } = of;
  const parts = [
    ...(portalScopes.includes("read") ? ["Events"] : []),
    ...(portalScopes.includes("endpoints") ? ["Endpoint"] : []),
  ];
  const [part, setPart] = useState(parts[0]);
  const [stream, setStream] = useState(streams[0] ?? "");
  const targets = portalScopes.includes("endpoints") ? targetsOf(of) : [];
  const ofStream = targets.filter((target) => target.stream === stream);
  return (
    <>
      <header>
        <h1>{part}</h1>
        {parts.length > 1 && (
          <nav aria-label="Parts">
            {parts.map((name) => (
              <button
                key={name}
                type="button"
                aria-current={name === part ? "page" : undefined}
                aria-pressed={name === part}
                onClick={() => setPart(name)}
              >
                {name}
              </button>
            ))}
          </nav>
        )}
        {streams.length > 1 && (
          <label class="choice">
            <span>Stream</span>
            <select value={stream} onChange={(e) => setStream(e.currentTarget.value)}>
              {streams.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </header>
      {parts.length === 0 && <Empty title="This token may not do anything" />}
      {part === "Events" && <Events key={stream} stream={stream} targets={ofStream} />}
      {part === "Endpoint" && <Endpoints key={stream} targets={ofStream} />}
    </>
  );
}

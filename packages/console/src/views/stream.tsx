import { api } from "../api.ts";
import { Failure, Name } from "../parts/basics.tsx";
import { useLoad } from "../parts/load.ts";
import { href, place } from "../place.ts";
import { eventCounts } from "../samples.ts";
import { can } from "../session.ts";
import { AboutStream } from "./about-stream.tsx";
import { EventsView } from "./events.tsx";
import { KeyView } from "./key.tsx";
import { ParkedView } from "./parked.tsx";
import { StatesView } from "./states.tsx";
import { SubscriptionView } from "./subscription.tsx";
import { SubscriptionsView } from "./subscriptions.tsx";

const TABS = [
  ["events", "Events"],
  ["states", "Keys"],
  ["subscriptions", "Subscriptions"],
  ["about", "Settings"],
] as const;

/** Shows one stream: its name, its parts, and the part that the address names. */
export function StreamView({ stream }: { stream: string }) {
  const [, , part = "events", ...rest] = place.value.path;
  const isCurrent = (tab: string) => tab === part || (tab === "states" && part === "key");
  return (
    <>
      <div class="heading">
        <Crumbs stream={stream} subscription={part === "subscriptions" ? rest[0] : undefined} />
      </div>
      {!(part === "subscriptions" && rest.length > 0) && (
        <nav class="tabs" aria-label="Parts of the stream">
          {TABS.map(([tab, label]) => (
            <a
              key={tab}
              href={href(["streams", stream, tab])}
              {...(isCurrent(tab) ? { "aria-current": "page" as const } : {})}
            >
              {label}
            </a>
          ))}
        </nav>
      )}
      <Part stream={stream} part={part} rest={rest} />
    </>
  );
}

type CrumbsProps = { readonly stream: string; readonly subscription: string | undefined };

/**
 * Shows the path to this page, as links. Its last part is the name of the shown stream or
 * subscription.
 */
function Crumbs({ stream, subscription }: CrumbsProps) {
  const separator = <span aria-hidden="true">/</span>;
  return (
    <div class="crumbs">
      <a href={href(["streams"])}>Streams</a>
      {separator}
      {subscription !== undefined && (
        <>
          <a href={href(["streams", stream, "subscriptions"])}>
            <Name>{stream}</Name>
          </a>
          {separator}
        </>
      )}
      <h1>
        <Name>{subscription ?? stream}</Name>
      </h1>
    </div>
  );
}

type PartProps = {
  readonly stream: string;
  readonly part: string;
  readonly rest: readonly string[];
};

function Part({ stream, part, rest }: PartProps) {
  const [subscription, detail] = rest;
  if (part === "states") return <StatesView stream={stream} />;
  if (part === "key") {
    const key = place.value.query.key ?? "";
    return <KeyView key={key} stream={stream} of={key} />;
  }
  if (part === "about") return <About stream={stream} />;
  if (part !== "subscriptions") return <EventsView stream={stream} />;
  if (subscription === undefined) return <SubscriptionsView stream={stream} />;
  if (detail === "parked") return <ParkedView stream={stream} subscription={subscription} />;
  return <SubscriptionView key={subscription} stream={stream} name={subscription} />;
}

function About({ stream }: { stream: string }) {
  const { data, error, at, reload } = useLoad(
    `stream ${stream}`,
    (signal) => api.stream(stream, signal),
    4_000,
  );
  if (data?.eventCount !== undefined) {
    eventCounts.add(`${data.life}/${data.name}`, data.eventCount, at);
  }
  if (data === undefined) return <Failure error={error} />;
  return <AboutStream info={data} mayChange={can("admin", { unbound: true })} onChanged={reload} />;
}

import { useState } from "preact/hooks";
import { Ago, Failure, Name, Skeleton } from "../parts/basics.tsx";
import { useAction, useLoad } from "../parts/load.ts";
import { visible } from "../visible.ts";
import { answerOf, api, type Deliveries, type Target } from "./api.ts";
import { Resend } from "./events.tsx";

const EVERY_MS = 10_000;

/** The failed deliveries of the last days, each with a button that sends its event again. */
export function FailedDeliveries({ target }: { target: Target }) {
  const of = `deliveries ${target.stream} ${target.subscription}`;
  const { data, error } = useLoad(
    of,
    (signal) => api.deliveries(target, undefined, signal),
    EVERY_MS,
  );
  const [later, setLater] = useState<Deliveries | undefined>();
  const cursor = later === undefined ? data?.cursor : later.cursor;
  const more = useAction(async () => {
    const page = await api.deliveries(target, cursor ?? undefined);
    setLater({ ...page, deliveries: [...(later?.deliveries ?? []), ...page.deliveries] });
  });
  const shown = [...(data?.deliveries ?? []), ...(later?.deliveries ?? [])];
  return (
    <section aria-label="Failed deliveries" class="stack">
      <h2>Failed deliveries</h2>
      <Failure error={error} />
      {data === undefined && error === undefined && <Skeleton rows={2} />}
      {data !== undefined && shown.length === 0 && (
        <p class="soft">No delivery has failed in the last 7 days.</p>
      )}
      {shown.length > 0 && (
        <ol class="log" aria-label="Failed deliveries">
          {shown.map((delivery) => (
            <li key={`${delivery.id} ${delivery.attempt} ${delivery.at}`} class="delivery">
              <div>
                <p>
                  <Name>{delivery.key}</Name>
                </p>
                <p class="soft small">
                  <Ago at={delivery.at} />, attempt {delivery.attempt},{" "}
                  {visible(answerOf(delivery))}
                  {delivery.nextAttemptAt !== undefined &&
                    `, again at ${new Date(delivery.nextAttemptAt).toLocaleTimeString()}`}
                </p>
                {delivery.answer !== undefined && delivery.answer !== "" && (
                  <p class="said">{visible(delivery.answer)}</p>
                )}
              </div>
              <div>
                <Resend target={target} event={delivery} />
              </div>
            </li>
          ))}
        </ol>
      )}
      <Failure error={more.error} />
      {cursor !== null && cursor !== undefined && (
        <button type="button" aria-disabled={more.busy} onClick={() => void more.run()}>
          Show older deliveries
        </button>
      )}
    </section>
  );
}

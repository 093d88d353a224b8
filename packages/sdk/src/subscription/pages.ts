import { ask, type StreamContext } from "../context.ts";
import { type InvalidEvent, LedgerProblem } from "../errors.ts";
import type { LedgerEvent } from "../events/event.ts";
import { type OnInvalid, readEvents, type WireEvent } from "../events/read-events.ts";
import { FOREVER, pace, waitSecondsAfter } from "../http/follow.ts";
import type { Operations } from "./operations.ts";
import type { PollPage } from "./settings.ts";

export type PagesOptions = {
  /** The maximum number of events of a page. */
  readonly limit?: number | undefined;
  /** What happens to an event that its schema refuses. The default is `throw`. */
  readonly onInvalid?: OnInvalid | "park" | undefined;
  /**
   * What happens when the subscription was unused for longer than the stream keeps events, so that
   * some are gone before their delivery. The default is `throw`. `seek` continues where the server
   * advises.
   */
  readonly onLost?: "throw" | "seek" | undefined;
  /** Called for each failure after which the poll is sent again. */
  readonly onRetry?: ((error: Error) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Polls as long as the caller asks for pages, through every outage. A page is committed when the
 * caller asks for the next one. A page that was being processed when the process ended is therefore
 * delivered again.
 */
export async function* subscriptionPages(
  context: StreamContext,
  operations: Operations,
  options: PagesOptions = {},
): AsyncGenerator<PollPage<LedgerEvent>, void, void> {
  const { signal, onRetry, limit, onInvalid } = options;
  const { consumer } = operations;
  const park = ({ key, sequence = 0, message }: InvalidEvent) =>
    operations.park({ key, sequence, reason: message }, { signal });
  /** The cursor that the next request commits. */
  let commit: string | undefined;
  let committed: string | undefined;
  let former: PollPage<WireEvent> | undefined;
  await operations.create(signal);
  try {
    for (;;) {
      const page = await ask<PollPage<WireEvent>>(context, {
        method: "POST",
        path: `${operations.path}/poll`,
        body: { limit, consumer, commit },
        waitSeconds: waitSecondsAfter(context.wait, former),
        signal,
        onRetry,
        attempts: FOREVER,
      }).catch((error: unknown) => recover(operations, error, options));
      if (page === undefined) {
        // Reading continues from the server's position, so the last page is void.
        commit = undefined;
        committed = undefined;
        continue;
      }
      committed = commit ?? committed;
      commit = undefined;
      const isNewLife = former !== undefined && former.life !== page.life;
      former = page;
      if (page.events.length > 0 || page.snapshotEnd || isNewLife) {
        const onFault = onInvalid === "park" ? park : onInvalid;
        const events = await readEvents(context.schemas, page.events, onFault);
        yield { ...page, events, isNewLife };
      }
      if (page.cursor !== committed) commit = page.cursor;
      await pace(context.connection.clock, page, signal);
    }
  } finally {
    await operations.leave(commit);
  }
}

/**
 * Continues from the server's position after a refusal. This code never moves the position back, so
 * an operator's seek holds.
 */
async function recover(
  operations: Operations,
  error: unknown,
  { signal, onLost = "throw" }: PagesOptions,
): Promise<undefined> {
  if (LedgerProblem.is(error, "subscription-not-found") && operations.isMadeHere) {
    await operations.create(signal);
  } else if (
    LedgerProblem.is(error, "retention-passed", "bootstrap-expired", "changes-passed") &&
    onLost === "seek"
  ) {
    const { seek, since } = error.body as { seek?: "earliest" | "bootstrap"; since?: string };
    const to = since === undefined ? (seek ?? "earliest") : { since };
    await operations.seek(to, { signal });
  } else if (!LedgerProblem.is(error, "invalid-cursor", "lease-lost")) throw error;
  return undefined;
}

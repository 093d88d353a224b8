import type { LiveStream } from "../../stream/live-streams.ts";
import type { Poll } from "../poll/page.ts";
import { type PollDeps, pollView } from "../poll/poll.ts";
import type { PollRequest, View } from "../poll/poll-plan.ts";
import type { Leases, Presence } from "./leases.ts";

/** The worker that polls, and the time of its request, from which it counts as alive. */
type ShareRequest = PollRequest & { readonly consumer: string; readonly heardMs: number };

/**
 * Polls for one of several workers: obtains its share, renews its leases, and delivers its events.
 * The cursor carries the fencing tokens of the leases. `lag` and `caughtUp` describe the share.
 * `consistent` describes everything committed and this page. A worker with an empty share has
 * nothing to deliver.
 */
export function pollShare(
  deps: PollDeps & { readonly leases: Leases },
  stream: LiveStream,
  name: string,
  { consumer, heardMs, before, ...request }: ShareRequest,
): Promise<Poll> {
  const hold = async (presence: Presence | undefined): Promise<View> => {
    const share = await deps.leases.hold(stream, name, consumer, { heardMs, before: presence });
    const own = share.tokens.flatMap((token, at) => (token === undefined ? [] : [at]));
    return { ...share, among: new Set(own) };
  };
  return pollView(deps, stream, request, {
    // Leases are read for every poll, and a commit needs their tokens.
    checksPages: false,
    first: () => hold(before),
    renew: ({ presence }) => hold(presence),
  });
}

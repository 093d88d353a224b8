import type { LiveStream } from "../../stream/streams.ts";
import type { Poll, PollRequest } from "../poll/page.ts";
import { type PollDeps, pollView } from "../poll/poll.ts";
import type { View } from "../poll/view.ts";
import type { Leases, Presence } from "./leases.ts";

/** Which worker asks, and since when: it counts as alive from then on. */
type ShareRequest = PollRequest & { readonly consumer: string; readonly heardMs: number };

/**
 * A poll of one worker of several: gets it its share, holds that, and delivers what is there. The
 * cursor carries the tokens of the leases; `lag` and `caughtUp` speak of the share, `consistent` of
 * all that is committed and this page. A worker whose share is empty has nothing to tell.
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

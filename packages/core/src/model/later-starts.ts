import { chainCount, type Partitioned, startOfChain } from "./epochs.ts";
import { type Bootstrap, isPending } from "./snapshot-progress.ts";

/**
 * Returns a snapshot from before later epochs of its stream with the partitions of all epochs. It
 * shows nothing of the later ones, so the log continues at their beginning.
 */
export function withLaterStarts(stream: Partitioned, bootstrap: Bootstrap): Bootstrap {
  const { starts, exactFrom } = bootstrap;
  if (isPending(bootstrap) || exactFrom.length >= chainCount(stream)) return bootstrap;
  const later = Array.from({ length: chainCount(stream) - exactFrom.length }, (_, at) =>
    startOfChain(stream, exactFrom.length + at),
  );
  return {
    ...bootstrap,
    starts: starts.length === 0 ? starts : [...starts, ...later],
    exactFrom: [...exactFrom, ...later],
  };
}

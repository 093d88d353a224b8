import { table, whole } from "./markdown.ts";
import type { Results } from "./results.ts";

/** How long new consumers wait for many keys, and what many streams and subscriptions cost. */
export function many(of: Results["many"]): string | undefined {
  if (of === undefined) return undefined;
  const { bootstrap, counted } = of;
  return `## Many keys, streams and subscriptions

A new consumer reads the current state of ${whole(bootstrap.keys)} keys over HTTP. The load of the
machine was ${of.load} before the run.

${table(
  ["", "seconds", "keys/s"],
  (
    [
      ["as a list", bootstrap.list],
      ["as a list in 8 parts", bootstrap.listIn8Parts],
      ["by the SDK's view, in 8 parts", bootstrap.view],
    ] as const
  ).map(([how, { seconds, keysPerSecond }]) => [how, String(seconds), whole(keysPerSecond)]),
)}

${whole(counted.streams)} streams, ${whole(counted.subscriptions)} subscriptions of one stream, and an empty stream with ${counted.partitions}
partitions. Requests in one wave are sent at once.

${table(
  ["", "requests", "waves", "read units", "write units"],
  (
    [
      ["a page of the empty stream", counted.emptyPage],
      ["the view of the stream with the subscriptions", counted.viewOfStream],
      ["a page of 500 subscriptions", counted.pageOfSubscriptions],
      ["a page of 500 streams", counted.pageOfStreams],
      ["a sweep of all streams, which are idle", counted.sweep],
    ] as const
  ).map(([what, { requests, waves, read, write }]) => [
    what,
    whole(requests),
    whole(waves),
    whole(read),
    whole(write),
  ]),
)}`;
}

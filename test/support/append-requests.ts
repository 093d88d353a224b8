import type { AppendRequest, Draft } from "../../packages/core/src/log/append/append-plan.ts";
import type { RawJson } from "../../packages/core/src/model/event.ts";

/** A request that waits in the queue of the log, with a name for the test. */
export type Wait = { readonly name: string; readonly request: AppendRequest };

/** Returns a request with as many events for each named partition. */
export const wait = (
  name: string,
  partitions: readonly number[],
  { key, bytes = 100, events = 1 }: { key?: string; bytes?: number; events?: number } = {},
): Wait => ({
  name,
  request: {
    drafts: partitions.flatMap((partition) => drafts(partition, events)),
    partitions,
    bytes,
    ...(key === undefined ? {} : { idempotency: { key, requestHash: "hash" } }),
  },
});

const drafts = (partition: number, count: number): Draft[] =>
  Array.from({ length: count }, () => ({
    partition,
    key: "k",
    id: undefined,
    head: '["k",1]',
    data: "1" as RawJson,
    bytes: 11,
  }));

import type { Entry } from "../../../../packages/core/src/log/read/read-run.ts";
import { partitionOf } from "../../../../packages/core/src/model/partition.ts";
import type { Call, History, Request } from "./history.ts";

/**
 * Returns every contradiction between a log, read from its beginning to its end, and the answers to
 * its publishers. It does not depend on how the log works.
 */
export function findViolations(
  log: readonly Entry[],
  { requests }: Pick<History, "requests">,
  partitions: number,
): string[] {
  const found: string[] = [];
  const placed = new Map<string, Entry[]>();
  for (const entry of log) {
    const { request } = JSON.parse(entry.event.data) as { request: string };
    const entries = placed.get(request) ?? [];
    entries.push(entry);
    placed.set(request, entries);
  }
  for (const [partition, entries] of Map.groupBy(log, (entry) => entry.partition)) {
    const sequences = entries.map(({ event }) => event.sequence);
    const gap = sequences.findIndex((sequence, index) => sequence !== index + 1);
    if (gap >= 0) found.push(`not-contiguous: P${partition} has ${sequences[gap]} at ${gap + 1}`);
    found.push(...findTimeTravel(entries, requests));
  }
  for (const request of requests) {
    const entries = placed.get(request.name) ?? [];
    placed.delete(request.name);
    for (const problem of checkRequest(request, entries, partitions)) {
      found.push(`${problem}: ${describe(request)}`);
    }
  }
  for (const name of placed.keys()) found.push(`never-sent: ${name}`);
  return found;
}

const describe = ({ name, idempotencyKey, calls }: Request): string =>
  `${name} ${idempotencyKey ?? ""} [${calls.map(({ outcome }) => outcome).join()}]`;

const isSuccess = ({ outcome }: Call): boolean =>
  outcome === "acknowledged" || outcome === "replayed";

function checkRequest(
  { events, calls, idempotencyKey }: Request,
  entries: readonly Entry[],
  partitions: number,
): string[] {
  const found: string[] = [];
  const successes = calls.filter(isSuccess);
  if (entries.length > events.length) return ["duplicate"];
  if (entries.length === 0) {
    if (events.length > 0 && successes.length > 0) found.push("lost-write");
    return found;
  }
  if (calls.every(({ outcome }) => outcome === "rejected")) found.push("rejected-but-present");
  if (entries.length < events.length) found.push("torn-request");
  if (idempotencyKey === undefined && successes.length > 1) found.push("sent-twice");
  if (calls.filter(({ outcome }) => outcome === "acknowledged").length > 1) {
    found.push("acknowledged-twice");
  }
  const parts = new Map(entries.map((entry) => [entry.event.data as string, entry]));
  const inOrder = events.flatMap(({ data }) => parts.get(data) ?? []);
  if (inOrder.length < events.length) found.push("duplicate");
  for (const [index, { event, partition }] of inOrder.entries()) {
    const { key } = events[index]?.attributes ?? {};
    if (event.key !== key || partition !== partitionOf(event.key, partitions)) {
      found.push("wrong-partition");
    }
    const later = inOrder.slice(index + 1).find((each) => each.partition === partition);
    if (later && later.event.sequence !== event.sequence + 1) found.push("reordered-request");
    for (const { published } of successes) {
      const answered = published?.events[index];
      if (answered?.sequence !== event.sequence || answered.id !== event.id)
        found.push("receipt-mismatch");
    }
  }
  return found;
}

/**
 * Finds events in the wrong order: if A is acknowledged before B is sent, A precedes B within a
 * partition.
 */
function findTimeTravel(entries: readonly Entry[], requests: readonly Request[]): string[] {
  const byName = new Map(requests.map((request) => [request.name, request]));
  const found: string[] = [];
  let firstAck = Infinity;
  for (const { event, partition } of entries.toReversed()) {
    const { request: name } = JSON.parse(event.data) as { request: string };
    const calls = byName.get(name)?.calls ?? [];
    if (firstAck < (calls[0]?.sentAt ?? Infinity)) {
      found.push(`time-travel: ${name} at ${event.sequence} of P${partition}`);
    }
    const ack = Math.min(...calls.filter(isSuccess).map(({ endedAt }) => endedAt));
    firstAck = Math.min(firstAck, ack);
  }
  return found;
}

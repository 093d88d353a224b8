import { at, newName, search } from "../client.ts";
import type { Call } from "../wire.ts";
import { type DescribedOperation, resolved } from "./openapi-operations.ts";
import { type Names, WORKER } from "./world.ts";

/** One way to send a cursor. */
export type CursorUse = {
  readonly operation: string;
  readonly as: string;
  /** The kind of cursor that this place accepts. */
  readonly own: "cursor" | "polled" | "worked" | "snapshot";
  readonly call: (names: Names, cursor: string) => Call;
};

export const CURSOR_KINDS = ["cursor", "polled", "worked", "snapshot"] as const;

const post = (path: string, json: object): Call => ({
  method: "POST",
  path,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(json),
});

/** Every place in a request that takes a cursor of a stream or a subscription. */
export const CURSOR_USES: readonly CursorUse[] = [
  {
    operation: "browseEvents",
    as: "from",
    own: "cursor",
    call: ({ stream }, from) => ({ path: `${at(stream)}/events${search({ from })}` }),
  },
  {
    operation: "createSubscription",
    as: "start",
    own: "cursor",
    call: ({ stream }, cursor) =>
      post(`${at(stream)}/subscriptions`, { name: newName(), start: { cursor } }),
  },
  {
    operation: "poll",
    as: "after",
    own: "polled",
    call: ({ stream, subscription }, after) => ({
      path: `${at(stream, subscription)}/poll${search({ after })}`,
    }),
  },
  {
    operation: "poll",
    as: "a worker's after",
    own: "worked",
    call: ({ stream, shared }, after) => ({
      path: `${at(stream, shared)}/poll${search({ after, consumer: WORKER })}`,
    }),
  },
  {
    operation: "commitAndPoll",
    as: "after",
    own: "polled",
    call: ({ stream, subscription }, after) => post(`${at(stream, subscription)}/poll`, { after }),
  },
  {
    operation: "commitAndPoll",
    as: "commit",
    own: "polled",
    call: ({ stream, subscription }, commit) =>
      post(`${at(stream, subscription)}/poll`, { commit }),
  },
  {
    operation: "commitAndPoll",
    as: "a worker's commit",
    own: "worked",
    call: ({ stream, shared }, commit) =>
      post(`${at(stream, shared)}/poll`, { commit, consumer: WORKER }),
  },
  {
    operation: "commit",
    as: "cursor",
    own: "polled",
    call: ({ stream, subscription }, cursor) =>
      post(`${at(stream, subscription)}/commit`, { cursor }),
  },
  {
    operation: "commit",
    as: "a worker's cursor",
    own: "worked",
    call: ({ stream, shared }, cursor) => post(`${at(stream, shared)}/commit`, { cursor }),
  },
  {
    operation: "listCompacted",
    as: "cursor",
    own: "snapshot",
    call: ({ stream }, cursor) => ({ path: `${at(stream)}/compacted${search({ cursor })}` }),
  },
  {
    operation: "createExport",
    as: "from",
    own: "cursor",
    call: ({ stream }, cursor) => post(`${at(stream)}/exports`, { from: { cursor } }),
  },
  {
    operation: "createExport",
    as: "to",
    own: "cursor",
    call: ({ stream }, cursor) => post(`${at(stream)}/exports`, { to: { cursor } }),
  },
  // Seek is last because it invalidates earlier cursors of polls.
  {
    operation: "seek",
    as: "to",
    own: "cursor",
    call: ({ stream, shared }, cursor) => post(`${at(stream, shared)}/seek`, { to: { cursor } }),
  },
];

/** Returns whether the document describes a cursor in a request of an operation. */
export const takesCursor = ({ parameters, requestBody }: DescribedOperation): boolean =>
  parameters.some(({ name }) => name === "from") ||
  [...schemaNames([parameters, requestBody])].some((name) => /^(List)?Cursor$/.test(name));

/** Returns the names of all schemas within a value. */
function schemaNames(of: unknown, known = new Set<string>()): Set<string> {
  for (const [, name = ""] of JSON.stringify(of).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (known.has(name)) continue;
    known.add(name);
    schemaNames(resolved({ $ref: `#/components/schemas/${name}` }), known);
  }
  return known;
}

import { randomUUID } from "node:crypto";
import { expect, inject } from "vitest";
import { type Stack, startStack } from "../../packages/local/src/stack.ts";
import { type Run, run } from "./run.ts";

/**
 * What each client does, in its own language, and prints as one line of JSON: it creates a stream
 * with nothing but a name, publishes two events twice under one Idempotency-Key, one more, and a
 * tombstone; polls, commits, polls the rest; bootstraps with a second subscription once the stream
 * is compacted; seeks to the cursor of the first publish; and asks for a stream that is not there.
 */
const STORY = {
  partitions: 1,
  published: [[1, 2], [1, 2], [3], [4]],
  polled: [[1, 2, 3], [4]],
  stale: false,
  caughtUp: true,
  state: { "order-1": 43 },
  consistent: true,
  sought: [3, 4],
  problem: ["stream-not-found", "never", 404],
};

export const startClientStack = (): Promise<Stack> =>
  startStack({ endpoint: inject("dynamoEndpoint"), tableName: `clients-${randomUUID()}` });

/** Runs a client's program against a stack, on a stream of its own. */
export async function tells(stack: Stack, program: Run, language: string): Promise<void> {
  const { stdout } = await run({
    ...program,
    args: [...program.args, `story-${language}-${randomUUID().slice(0, 8)}`],
    env: { ...program.env, EVENTLEDGER_URL: stack.url, EVENTLEDGER_API_KEY: stack.adminKey },
  });
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual(STORY);
}

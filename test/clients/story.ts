import { randomUUID } from "node:crypto";
import { expect, inject } from "vitest";
import { type Stack, startStack } from "../../packages/local/src/stack.ts";
import { type Run, run } from "./run.ts";

/**
 * The steps of each client, in its own language. It prints the results as one line of JSON. It
 * creates a stream with only a name. It publishes two events twice under one Idempotency-Key, then
 * one more event and a tombstone. It polls, commits, and polls the rest. It bootstraps with a
 * second subscription once the stream is compacted. It seeks to the cursor of the first publish. It
 * asks for a stream that does not exist.
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

/** Runs a client's program against a stack, on its own stream. */
export async function tells(stack: Stack, program: Run, language: string): Promise<void> {
  const { stdout } = await run({
    ...program,
    args: [...program.args, `story-${language}-${randomUUID().slice(0, 8)}`],
    env: { ...program.env, EVENTLEDGER_URL: stack.url, EVENTLEDGER_API_KEY: stack.adminKey },
  });
  expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual(STORY);
}

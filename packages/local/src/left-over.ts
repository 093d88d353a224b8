import { setTimeout as sleep } from "node:timers/promises";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Pace } from "@eventledger/core";

/**
 * For each millisecond that a write of compaction takes from publishers, it leaves them so many.
 */
const LEFT_FOR_EACH = 2;
/** Publishing counts as over when nothing was written for so long. */
const QUIET_MS = 50;
const LOOK_EVERY_MS = 5;

/** What publishing leaves free of a store that does one write at a time. */
export type LeftOver = {
  /** Watches the writes of the client through which publishers write. */
  watch(client: DynamoDBClient): void;
  /** The pace of all who write in the background. They write one after another. */
  readonly pace: Pace;
};

/**
 * Lets compaction write only as much as publishing leaves free. The store of this machine has one
 * disk and one writer, so each write of compaction is one that publishers wait for. While they are
 * at it, compaction writes for a third of the time. While they are not, it writes without a pause.
 */
export function createLeftOver(now: () => number = () => performance.now()): LeftOver {
  let writing = 0;
  let wroteAt = Number.NEGATIVE_INFINITY;
  let turn: Promise<unknown> = Promise.resolve();
  const isPublishing = () => writing > 0 || now() - wroteAt < QUIET_MS;

  async function leave(ms: number): Promise<void> {
    const end = now() + ms;
    while (isPublishing() && now() < end) {
      await sleep(Math.min(LOOK_EVERY_MS, Math.max(1, end - now())), undefined, { ref: false });
    }
  }

  return {
    watch(client) {
      client.middlewareStack.add(
        (next, { commandName = "" }) =>
          async (args) => {
            if (!WRITE.test(commandName)) return next(args);
            writing++;
            try {
              return await next(args);
            } finally {
              writing--;
              wroteAt = now();
            }
          },
        { step: "initialize", name: "leftOver", priority: "low" },
      );
    },

    pace: {
      atOnce: 1,
      async run(write) {
        const before = turn;
        const done = Promise.withResolvers<void>();
        turn = done.promise;
        await before;
        const began = now();
        try {
          return await write();
        } finally {
          void leave(LEFT_FOR_EACH * (now() - began)).finally(done.resolve);
        }
      },
    },
  };
}

const WRITE = /^(Put|Update|Delete|BatchWrite|TransactWrite)/;

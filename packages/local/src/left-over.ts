import { setTimeout as sleep } from "node:timers/promises";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Pace } from "@eventledger/core";

/** Publishers get this many milliseconds for each one that a compaction write takes. */
const LEFT_FOR_EACH = 1.5;
/** Publishing counts as finished when nothing was written for this long. */
const QUIET_MS = 50;
const LOOK_EVERY_MS = 5;

/** The capacity that publishing leaves free in a store that performs one write at a time. */
export type LeftOver = {
  /** Watches the writes of the client through which publishers write. */
  watch(client: DynamoDBClient): void;
  /** The pace of all background work. Its writes happen one after another. */
  readonly pace: Pace;
  /** Resolves when `stop` is called. Work that waits for the pace then waits for ever. */
  readonly stopped: Promise<void>;
  /** Lets no further write begin, and waits for the one in flight. */
  stop(): Promise<void>;
};

/**
 * Lets compaction write only as much as publishing leaves free. The local store has one disk and
 * one writer, so publishers wait for each write of compaction. While they publish, compaction
 * writes for two fifths of the time. Otherwise it writes without a pause.
 */
export function createLeftOver(now: () => number = () => performance.now()): LeftOver {
  let writing = 0;
  let wroteAt = Number.NEGATIVE_INFINITY;
  let turn: Promise<unknown> = Promise.resolve();
  let inFlight: Promise<unknown> = Promise.resolve();
  const stopping = Promise.withResolvers<void>();
  let isStopped = false;
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
        if (isStopped) await NEVER;
        const began = now();
        const writing = write();
        inFlight = writing.catch(() => {});
        try {
          return await writing;
        } finally {
          void leave(LEFT_FOR_EACH * (now() - began)).finally(done.resolve);
        }
      },
    },

    stopped: stopping.promise,
    async stop() {
      isStopped = true;
      stopping.resolve();
      await inFlight;
    },
  };
}

const NEVER = new Promise<never>(() => {});
const WRITE = /^(Put|Update|Delete|BatchWrite|TransactWrite)/;

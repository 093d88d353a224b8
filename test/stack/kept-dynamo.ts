import { setTimeout as sleep } from "node:timers/promises";
import { type Dynamo, type DynamoOptions, startDynamo } from "./dynamo.ts";

export type KeptDynamoOptions = Pick<DynamoOptions, "dataDir"> & {
  /** Told of each database, the first too, before the one before it is forgotten. */
  readonly onStart: (dynamo: Dynamo) => Promise<void>;
  readonly onNotice: (line: string) => void;
  /** The database cannot be started again. */
  readonly onGiveUp: (error: unknown) => void;
};

/**
 * A DynamoDB Local that is started again with the same data should it end unasked.
 *
 * Each one has a port of its own, so that whoever speaks to the last one cannot reach the next by
 * mistake. For a database that was killed may have lost what it had confirmed: DynamoDB Local
 * answers a transaction a few milliseconds before SQLite has it (3 of 5 kills under load lost one;
 * single puts: none of 6). Whoever remembers such a write must not go on from it. AWS does not lose
 * what it has confirmed.
 */
export async function keepDynamo(options: KeptDynamoOptions): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  let current = await start(options);

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await current.ended;
      if (stopping.signal.aborted) return;
      options.onNotice(`The database (pid ${current.pid}) ended unasked; starting it again.`);
      current = await restart(options);
    }
    // Asked to stop while it was starting.
    await current.stop();
  };
  const watching = watch().catch((error: unknown) => {
    if (!stopping.signal.aborted) options.onGiveUp(error);
  });

  return {
    stop: async () => {
      stopping.abort();
      await current.stop();
      await watching;
    },
  };
}

const RESTART_TRIES = 3;
const RESTART_PAUSE_MS = 500;

async function restart(options: KeptDynamoOptions): Promise<Dynamo> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options);
    } catch (error) {
      if (attempt === RESTART_TRIES) throw error;
      await sleep(RESTART_PAUSE_MS);
    }
  }
}

async function start({ dataDir, onStart }: KeptDynamoOptions): Promise<Dynamo> {
  const dynamo = await startDynamo({ dataDir });
  try {
    await onStart(dynamo);
    return dynamo;
  } catch (error) {
    await dynamo.stop();
    throw error;
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { type Dynamo, type DynamoOptions, startDynamo } from "./dynamo.ts";

export type KeptDynamoOptions = DynamoOptions & {
  /** Called with each database, the first too, before anybody else uses it. */
  readonly prepare: (dynamo: Dynamo) => Promise<void>;
  readonly onNotice: (line: string) => void;
  /** The database cannot be started again. */
  readonly onGiveUp: (error: unknown) => void;
};

/**
 * A DynamoDB Local that is started again on the same port, with the same data, should it end
 * unasked. Requests that were under way fail, as they may on AWS.
 */
export async function keepDynamo(
  options: KeptDynamoOptions,
): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const { dataDir, prepare, onNotice, onGiveUp } = options;
  const stopping = new AbortController();
  let current = await startPrepared(options);
  const { endpoint, port } = current;

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await current.ended;
      if (stopping.signal.aborted) return;
      onNotice(`The database (pid ${current.pid}) ended; starting it again on port ${port}.`);
      current = await restart({ dataDir, port, prepare });
    }
    // Asked to stop while it was starting.
    await current.stop();
  };
  const watching = watch().catch((error: unknown) => {
    if (!stopping.signal.aborted) onGiveUp(error);
  });

  return {
    endpoint,
    stop: async () => {
      stopping.abort();
      await current.stop();
      await watching;
    },
  };
}

const RESTART_TRIES = 3;
const RESTART_PAUSE_MS = 500;

type Prepared = Pick<KeptDynamoOptions, "dataDir" | "port" | "prepare">;

async function restart(options: Prepared): Promise<Dynamo> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startPrepared(options);
    } catch (error) {
      if (attempt === RESTART_TRIES) throw error;
      await sleep(RESTART_PAUSE_MS);
    }
  }
}

async function startPrepared({ dataDir, port, prepare }: Prepared): Promise<Dynamo> {
  const dynamo = await startDynamo({ dataDir, port });
  try {
    await prepare(dynamo);
  } catch (error) {
    await dynamo.stop();
    throw error;
  }
  return dynamo;
}

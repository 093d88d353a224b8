import { type Dynamo, startDynamo } from "../stack/dynamo.ts";

/** A DynamoDB Local that can be killed, as long as it keeps its data on disk. */
export type Database = {
  endpoint(): string;
  /** Kills it by SIGKILL and starts it again with the same data, at another port. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

/** Without a folder it keeps everything in memory. */
export async function startDatabase(dataDir?: string): Promise<Database> {
  let current: Dynamo = await startDynamo({ dataDir });
  return {
    endpoint: () => current.endpoint,
    kill: async () => {
      process.kill(current.pid, "SIGKILL");
      await current.ended;
      current = await startDynamo({ dataDir });
    },
    stop: () => current.stop(),
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import { readStoreKind } from "../../../packages/local/src/settings.ts";
import { type Store, startStore } from "../../../packages/local/src/store.ts";
import type { Pausable } from "./killable.ts";

/** A store that can be paused. If it keeps its data on disk, it can also be killed. */
export type Database = Pausable & {
  endpoint(): string;
  /** True if a kill may undo a confirmed transaction. See `keepStore`. */
  readonly losesTransactions: boolean;
  /** Kills the store with SIGKILL and starts it again with the same data on another port. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts a store. Without a folder it keeps everything in memory. */
export async function startDatabase(dataDir?: string): Promise<Database> {
  const kind = readStoreKind(process.env.EVENTLEDGER_STORE || undefined);
  let current: Store = await startStore({ kind, dataDir });
  return {
    name: "database",
    losesTransactions: current.kind === "dynamodb-local",
    endpoint: () => current.endpoint,
    kill: async () => {
      process.kill(current.pid, "SIGKILL");
      await current.ended;
      current = await startStore({ kind, dataDir });
    },
    pause: async (ms) => {
      process.kill(current.pid, "SIGSTOP");
      await sleep(ms);
      process.kill(current.pid, "SIGCONT");
    },
    stop: () => current.stop(),
  };
}

/** The real stack, on this machine. */
export type StartedLedger = {
  readonly url: string;
  readonly apiKey: string;
  stop(): Promise<void>;
};

type StackModule = {
  startStack(options: { dataFolder?: string }): Promise<{
    readonly url: string;
    readonly adminKey: string;
    stop(): Promise<void>;
  }>;
};

/**
 * Starts EventLedger with its store, in memory or in a folder. The package `@eventledger/local`
 * must be installed.
 */
export async function startLedger(
  options: { readonly memory: true } | { readonly folder: string },
): Promise<StartedLedger> {
  const { startStack } = await loadStack();
  const { url, adminKey, stop } = await startStack(
    "folder" in options ? { dataFolder: options.folder } : {},
  );
  return { url, apiKey: adminKey, stop };
}

// The name is a variable, so that no bundler resolves it.
const STACK = ["@eventledger", "local"].join("/");

async function loadStack(): Promise<StackModule> {
  try {
    return await import(STACK);
  } catch (cause) {
    throw new Error("startLedger() needs @eventledger/local, which is not installed", { cause });
  }
}

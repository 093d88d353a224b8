import { setTimeout as sleep } from "node:timers/promises";

/** Everything that has to be closed, recorded as it is started. */
export type Closers = {
  add(close: () => Promise<void> | void): void;
  /** Ends all of it, the last first, each whatever became of the others. May be called twice. */
  close(): Promise<void>;
};

/** The time that each may take. Then the next one is closed. */
const CLOSE_TIMEOUT_MS = 5_000;

export function createClosers(onNotice: (line: string) => void): Closers {
  const waiting: (() => Promise<void> | void)[] = [];
  let closing: Promise<void> | undefined;
  const close = async () => {
    for (const next of waiting.reverse()) {
      const limit = sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false });
      const ending = (async () => next())();
      await Promise.race([ending, limit]).catch((error: unknown) => onNotice(String(error)));
    }
  };
  return {
    add: (next) => {
      waiting.push(next);
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

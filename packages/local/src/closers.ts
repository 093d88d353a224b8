import { setTimeout as sleep } from "node:timers/promises";

/** Collects everything that has to be closed, in the order in which it was started. */
export type Closers = {
  add(close: () => Promise<void> | void): void;
  /** Closes everything in reverse order, even when one of the parts fails. May be called twice. */
  close(): Promise<void>;
};

/** The time that each part may take to close. After that the next one is closed. */
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

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Io } from "../io.ts";

/**
 * The record of an earlier publish of the same file. The server keeps an Idempotency-Key for 24
 * hours, so a file that was published in part can be published again safely for that long.
 */
export type Journal = {
  /**
   * A part of each Idempotency-Key. Another run of the same file has the same one, a new publish
   * has a different one.
   */
  readonly run: string;
  readonly startedAt: number;
  /** The last line that is durable. */
  readonly line: number;
  readonly isDone: boolean;
  /** The life of the stream that has these lines. Empty until the first line is durable. */
  readonly life: string;
};

/** The first run of a file needs no journal, because a repetition anywhere makes the same keys. */
const FIRST_RUN = "1";

/** The server keeps keys for 24 hours. The clocks of two machines may differ. */
export const SAFE_MS = 23 * 3_600_000;

export type Decision =
  | { readonly kind: "publish"; readonly journal: Journal; readonly isResumed: boolean }
  /** A part of the file was published too long ago. */
  | { readonly kind: "too-late"; readonly line: number };

export function decide(former: Journal | undefined, again: boolean, now: number): Decision {
  const newRun = (run: string): Decision => ({
    kind: "publish",
    isResumed: false,
    journal: { run, startedAt: now, line: 0, isDone: false, life: "" },
  });
  if (again) return newRun(randomBytes(6).toString("hex"));
  if (former === undefined) return newRun(FIRST_RUN);
  const isSafe = now - former.startedAt < SAFE_MS;
  if (isSafe) return { kind: "publish", journal: former, isResumed: true };
  return former.isDone
    ? newRun(randomBytes(6).toString("hex"))
    : { kind: "too-late", line: former.line };
}

export type JournalFile = {
  load(): Journal | undefined;
  save(journal: Journal): void;
};

export function journalFile(
  { env }: Pick<Io, "env">,
  about: { readonly url: string; readonly stream: string; readonly content: string },
): JournalFile {
  const name = createHash("sha256").update(JSON.stringify(about)).digest("hex").slice(0, 32);
  const state = env.XDG_STATE_HOME || join(env.HOME || homedir(), ".local", "state");
  const file = join(state, "eventledger", "publish", `${name}.json`);
  return {
    load() {
      try {
        return JSON.parse(readFileSync(file, "utf8"));
      } catch {
        return undefined;
      }
    },
    save(journal) {
      // A publish continues even if the disk cannot keep the journal, because the server knows the
      // keys.
      try {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        const next = `${file}.${process.pid}`;
        writeFileSync(next, JSON.stringify(journal), { mode: 0o600 });
        renameSync(next, file);
      } catch {
        rmSync(`${file}.${process.pid}`, { force: true });
      }
    },
  };
}

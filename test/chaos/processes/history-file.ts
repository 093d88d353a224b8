import { appendFileSync, existsSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Line } from "../../simulation/checker/history.ts";
import type { Follower } from "../../simulation/world/readers.ts";

/**
 * An entry of a client process, which is written with one write. `keeps` is the state that the
 * process must know after a crash.
 */
export type Entry = {
  readonly keeps?: Follower;
  readonly line?: Line;
  readonly count?: string;
  /** An observation that no client may make. */
  readonly failed?: string;
};

export type HistoryFile = {
  /** The last state that earlier lives of the process kept. */
  readonly kept: Follower | undefined;
  /**
   * Adds an entry. It is in the file when this returns. A process that is killed during the write
   * leaves a part of it.
   */
  add(entry: Entry): void;
};

const KEEPS = '{"keeps":';

/**
 * Reopens the history file of a client. An earlier process of that client may have left half a
 * line.
 */
export function openHistoryFile(path: string): HistoryFile {
  const kept = existsSync(path) ? lastKept(readFileSync(path)) : undefined;
  const file = openSync(path, "a");
  appendFileSync(file, "\n");
  return {
    kept,
    add: ({ keeps, ...rest }) => {
      const entry = keeps === undefined ? rest : { keeps, ...rest };
      appendFileSync(file, `${JSON.stringify(entry)}\n`);
    },
  };
}

/**
 * Returns the last kept state. Only complete lines count, so a kept state and its history line are
 * either both present or both absent.
 */
function lastKept(bytes: Buffer): Follower | undefined {
  let end = bytes.length;
  for (;;) {
    const at = bytes.lastIndexOf(`\n${KEEPS}`, end - 1);
    if (at === -1) return undefined;
    const next = bytes.indexOf("\n", at + 1);
    const entry = parse(bytes.toString("utf8", at + 1, next === -1 ? bytes.length : next));
    if (entry?.keeps !== undefined) return entry.keeps;
    end = at;
  }
}

/** Parses a line. Returns undefined for a line that its process did not write completely. */
function parse(text: string): Entry | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Everything that the clients have written so far. */
export type Collected = {
  readonly lines: Line[];
  readonly counts: Map<string, number>;
  readonly failures: string[];
  /** Reads the new entries. */
  take(): void;
};

/** Reads the files of a folder while they grow. */
export function collectFrom(folder: string): Collected {
  const files = new Map<string, { readonly file: number; at: number; rest: string }>();
  const lines: Line[] = [];
  const counts = new Map<string, number>();
  const failures: string[] = [];
  const chunk = Buffer.alloc(2 ** 22);
  const note = (text: string): void => {
    const { line, count, failed } = parse(text) ?? { count: "client.half-a-line" };
    if (line !== undefined) lines.push(line);
    if (count !== undefined) counts.set(count, (counts.get(count) ?? 0) + 1);
    if (failed !== undefined) failures.push(failed);
  };
  const take = (): void => {
    for (const name of readdirSync(folder).sort()) {
      const known = files.get(name) ?? { file: openSync(join(folder, name), "r"), at: 0, rest: "" };
      files.set(name, known);
      for (;;) {
        const read = readSync(known.file, chunk, 0, chunk.length, known.at);
        if (read === 0) break;
        known.at += read;
        // The files contain only ASCII, except for the texts of server errors. A part of those may
        // be garbled.
        const texts = `${known.rest}${chunk.toString("utf8", 0, read)}`.split("\n");
        known.rest = texts.pop() ?? "";
        for (const text of texts) if (text !== "") note(text);
      }
    }
  };
  return { lines, counts, failures, take };
}

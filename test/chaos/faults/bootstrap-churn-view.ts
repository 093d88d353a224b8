import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { digest } from "../../../examples/webhooks/followed.ts";

export type Delivered = { readonly sequence: number; readonly key: string; readonly data: unknown };

/** The entry for the last event of a key. It has no digest when that event deleted the key. */
type Entry = { readonly sequence: number; readonly digest: string | undefined };

export type View = {
  /** Applies a page, and writes it to the journal before it returns. */
  apply(events: readonly Delivered[]): void;
  /** Clears the view for a new bootstrap. */
  clear(): void;
  /** Returns the live keys, each with the digest of its data. */
  live(): Record<string, string>;
  /** The deliveries whose sequence did not rise for their key since this process began. */
  readonly disorder: readonly string[];
};

/**
 * A materialised view that survives its process. A journal contains every applied event, so a
 * committed event is never missing from the view. Events that are delivered again after a crash
 * change nothing.
 */
export function openView(journal: string): View {
  const entries = new Map<string, Entry>();
  const delivered = new Map<string, number>();
  const disorder: string[] = [];
  const put = (key: string, entry: Entry) => {
    if (entry.sequence > (entries.get(key)?.sequence ?? 0)) entries.set(key, entry);
  };
  if (existsSync(journal)) {
    // A kill may have cut off the last line. The events of that line are not committed.
    const lines = readFileSync(journal, "utf8").split("\n").slice(0, -1);
    for (const line of lines) {
      const { key, ...entry }: Entry & { key: string } = JSON.parse(line);
      put(key, { sequence: entry.sequence, digest: entry.digest });
    }
    writeFileSync(journal, lines.map((line) => `${line}\n`).join(""));
  }
  return {
    apply: (events) => {
      let text = "";
      for (const { key, sequence, data } of events) {
        const before = delivered.get(key) ?? 0;
        if (sequence <= before) disorder.push(`${key}: ${sequence} after ${before}`);
        delivered.set(key, sequence);
        const entry = { sequence, digest: data === null ? undefined : digest(data) };
        put(key, entry);
        text += `${JSON.stringify({ key, ...entry })}\n`;
      }
      appendFileSync(journal, text);
    },
    clear: () => {
      entries.clear();
      delivered.clear();
      writeFileSync(journal, "");
    },
    live: () =>
      Object.fromEntries(
        [...entries].flatMap(([key, { digest }]) => (digest === undefined ? [] : [[key, digest]])),
      ),
    disorder,
  };
}

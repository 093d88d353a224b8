import type { CreateStream } from "@eventledger/protocol";
import { differencesOf } from "../kernel/differences.ts";
import { LedgerError } from "../kernel/error.ts";
import type { StreamRow } from "../table/stream.entity.ts";

const SETTINGS = [
  "description",
  "partitions",
  "compaction",
  "retentionHours",
  "archiveDays",
  "archiveLock",
] as const satisfies readonly (keyof CreateStream)[];

/**
 * Throws `stream-exists` if a stream has other settings than those that are asked for. The problem
 * names them.
 */
export function assertSameConfig(existing: StreamRow, asked: CreateStream): void {
  const present = { ...existing, partitions: existing.auto ? "auto" : existing.partitions };
  const differing = SETTINGS.filter((setting) => present[setting] !== asked[setting]);
  if (differing.length === 0) return;
  throw new LedgerError("stream-exists", {
    detail: `A stream named ${asked.name} exists with a different ${differing.join(", ")}. PATCH it, or choose a different name.`,
    facts: { differing: differing.join(",") },
    errors: differencesOf(pick(present), pick(asked)),
  });
}

const pick = (of: { readonly [Setting in (typeof SETTINGS)[number]]?: unknown }) =>
  Object.fromEntries(SETTINGS.map((setting) => [setting, of[setting]]));

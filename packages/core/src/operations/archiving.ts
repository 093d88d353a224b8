import type {
  ArchiveReceipt,
  ArchiveSegment,
  ArchiveSegmentList,
  ArchiveVerification,
} from "@eventledger/protocol";
import { archiveStream } from "../archive/archive-stream.ts";
import { listSegments } from "../archive/list-segments.ts";
import { type VerifyPlace, verifyArchive } from "../archive/verify.ts";
import { compactStream } from "../compaction/compact-stream.ts";
import { formatListCursor, type ListOf } from "../cursor/list-cursor.ts";
import { ageMs, takeStamp } from "../kernel/clock.ts";
import { LedgerError } from "../kernel/error.ts";
import { lifeText, type Tenant } from "../model/names.ts";
import type { LiveStream } from "../stream/live-streams.ts";
import { objectOf, type Segment } from "../table/segment.entity.ts";
import type { Parts } from "./parts.ts";

/** The time for the work of a request. The request must be answered within 30 s. */
const BUDGET_MS = 15_000;
const COMPACT_BUDGET_MS = 5_000;

type Budget = { readonly budgetMs: number };

/** The archive of a stream, for operators and auditors. */
export function archiveOperations(parts: Parts) {
  const { clock, streams, cursors, objects } = parts;

  const until = ({ budgetMs }: Budget) => {
    const began = takeStamp(clock);
    return () => ageMs(clock, began) < budgetMs;
  };

  const placeOf = (list: ListOf, cursor: string | undefined): VerifyPlace => {
    if (cursor === undefined) return { partition: 0 };
    const [partition = "", after = ""] = cursors.parseListed(list, cursor).split(".");
    return { partition: Number(partition) || 0, after: Number(after) || 0 };
  };

  const cursorAt = (list: ListOf, place: VerifyPlace | undefined): string | null =>
    place === undefined ? null : formatListCursor(list, `${place.partition}.${place.after ?? 0}`);

  return {
    /** Archives everything that is durable now, within the time budget. */
    async archive(
      tenant: Tenant,
      name: string,
      budget: Budget = { budgetMs: BUDGET_MS },
    ): Promise<ArchiveReceipt> {
      const stream = await streams.load(tenant, name);
      if (stream.archiveDays === null) throw notArchived();
      const mayGoOn = until(budget);
      const budgetMs = Math.min(COMPACT_BUDGET_MS, budget.budgetMs);
      const compacted = await compactStream(parts, stream, { budgetMs });
      const receipt = await archiveStream({ ...parts, objects }, stream, mayGoOn);
      return { ...receipt, done: compacted.done && receipt.done };
    },

    /** Lists the segments of a stream, by partition and then by sequence. */
    async listSegments(
      tenant: Tenant,
      name: string,
      { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
    ): Promise<ArchiveSegmentList> {
      const stream = await streams.load(tenant, name);
      const list: ListOf = `archive ${stream.uid}`;
      const { segments, place } = await listSegments(parts, stream, placeOf(list, cursor), limit);
      return {
        segments: segments.map(toView),
        cursor: cursorAt(list, place),
        life: lifeText(stream),
      };
    },

    /** Compares the archive with its records. See `verifyArchive`. */
    async verifyArchive(
      tenant: Tenant,
      name: string,
      cursor: string | undefined,
      budget: Budget = { budgetMs: BUDGET_MS },
    ): Promise<ArchiveVerification> {
      const stream: LiveStream = await streams.load(tenant, name);
      const list: ListOf = `verified ${stream.uid}`;
      const {
        fault = null,
        place,
        ...counts
      } = await verifyArchive({ ...parts, objects }, stream, placeOf(list, cursor), until(budget));
      return { ...counts, fault, cursor: cursorAt(list, place) };
    },
  };
}

const toView = (segment: Segment & { readonly partition: number }): ArchiveSegment => {
  const { partition, first, next, events, chain, rewritten, proof } = segment;
  const { rawBytes, storedBytes, object, sha256 } = objectOf(segment);
  return {
    partition,
    first,
    next,
    firstEventAt: new Date(segment.firstAt).toISOString(),
    lastEventAt: new Date(segment.lastAt).toISOString(),
    events,
    rawBytes,
    bytes: storedBytes,
    object,
    sha256,
    chain,
    ...(rewritten === undefined || proof === undefined
      ? {}
      : { rewritten: { sha256: segment.sha256, erasure: rewritten.erasure, proof } }),
  };
};

const notArchived = (): LedgerError =>
  new LedgerError("not-archived", {
    detail: "The stream is not archived. PATCH its archiveDays first.",
  });

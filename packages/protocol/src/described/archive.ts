import * as z from "zod/mini";
import { described, ListCursor, Timestamp } from "../text.ts";
import { Life } from "./life.ts";

const count = z.int().check(z.gte(0));

/** What is not archived yet. */
export const ArchiveLag = described(
  z.object({
    events: described(count, { description: "The number of events that are not archived yet." }),
    seconds: described(z.number().check(z.gte(0)), {
      description: "The age of the oldest of these events; 0 if there are none.",
    }),
  }),
  { id: "ArchiveLag", description: "How far the archive is from the end of the stream." },
);

/** The archive of a stream. */
export const Archive = described(
  z.object({
    earliestSequence: described(z.optional(count), {
      description:
        "On a stream with one partition, the sequence from which the archive and the table together are complete.",
    }),
    segments: described(count, { description: "The number of segments in the archive." }),
    events: described(count, { description: "The number of events in the archive." }),
    bytes: described(count, { description: "The size of the archive in its bucket." }),
    lag: ArchiveLag,
  }),
  { id: "Archive", description: "What the archive of a stream holds." },
);
export type Archive = z.infer<typeof Archive>;

export const ArchiveReceipt = described(
  z.object({
    segments: described(count, { description: "The number of segments that were written." }),
    events: described(count, { description: "The number of events in these segments." }),
    bytes: described(count, { description: "The size of these segments in the bucket." }),
    watermarkLag: described(ArchiveLag, {
      description: "The compacted events that are not archived yet.",
    }),
    done: described(z.boolean(), {
      description:
        "True when everything that was durable when the request began is archived. If false, send the request again.",
    }),
  }),
  { id: "ArchiveReceipt", description: "The result of a request to archive." },
);
export type ArchiveReceipt = z.infer<typeof ArchiveReceipt>;

/** A segment of an archive. */
export const ArchiveSegment = described(
  z.object({
    partition: described(count, { description: "The partition whose events the segment has." }),
    first: described(count, { description: "The first sequence of its range." }),
    next: described(count, { description: "The first sequence after its range." }),
    firstEventAt: described(Timestamp, { description: "When its first event was published." }),
    lastEventAt: described(Timestamp, { description: "When its last event was published." }),
    events: described(count, { description: "The number of its events." }),
    rawBytes: described(count, { description: "The size of its lines before compression." }),
    bytes: described(count, { description: "The size of its object." }),
    object: described(z.string(), { description: "The name of its object in the bucket." }),
    sha256: described(z.string(), { description: "The SHA-256 of its object, in hexadecimal." }),
    chain: described(z.string(), {
      description: "The SHA-256 of its record, which includes that of the previous segment.",
    }),
    rewritten: described(
      z.optional(
        z.object({
          sha256: described(z.string(), { description: "The SHA-256 of its first object." }),
          erasure: described(z.string(), { description: "The last erasure that changed it." }),
          proof: described(z.string(), {
            description:
              "The SHA-256 of the record of its present object, which includes the proof before it.",
          }),
        }),
      ),
      { description: "Present when an erasure has put another object in the place of the first." },
    ),
  }),
  { id: "ArchiveSegment", description: "A range of events in one object of the bucket." },
);
export type ArchiveSegment = z.infer<typeof ArchiveSegment>;

export const ArchiveSegmentList = described(
  z.object({
    segments: described(z.array(ArchiveSegment), { description: "The segments of this page." }),
    cursor: z.nullable(ListCursor),
    life: Life,
  }),
  {
    id: "ArchiveSegmentList",
    description: "A page of segments, by partition and then by sequence.",
  },
);
export type ArchiveSegmentList = z.infer<typeof ArchiveSegmentList>;

export const ArchiveFault = described(
  z.object({
    partition: described(count, { description: "The partition of the segment." }),
    first: described(count, { description: "The first sequence of its range." }),
    next: described(count, { description: "The first sequence after its range." }),
    object: described(z.optional(z.string()), {
      description: "The name of its object. Absent when the record of the segment is missing.",
    }),
    reason: described(z.enum(["missing", "changed", "out-of-chain"]), {
      description:
        "`missing`: the object or the record does not exist. `changed`: the object differs from what was written. `out-of-chain`: the record does not follow the one before it.",
    }),
  }),
  { id: "ArchiveFault", description: "The first segment with a fault." },
);
export type ArchiveFault = z.infer<typeof ArchiveFault>;

export const ArchiveVerification = described(
  z.object({
    segments: described(count, { description: "The number of segments without a fault." }),
    events: described(count, { description: "The number of events in these segments." }),
    bytes: described(count, { description: "The size of these segments." }),
    fault: described(z.nullable(ArchiveFault), {
      description: "The first segment with a fault; null if there is none.",
    }),
    cursor: described(z.nullable(ListCursor), {
      description: "Where the verification continues; null when it is complete or found a fault.",
    }),
  }),
  { id: "ArchiveVerification", description: "The result of verifying an archive." },
);
export type ArchiveVerification = z.infer<typeof ArchiveVerification>;

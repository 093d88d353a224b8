/** The answers about streams. A test compares them with the protocol's schemas. */
import type { Lag } from "../events/event.ts";

export type StreamAnswer = {
  readonly name: string;
  readonly description: string;
  /** The number of partitions that the stream is written to now. */
  readonly partitions: number;
  /** True if the stream gets more partitions by itself. */
  readonly autoPartitions?: true;
  /** The partitions over time, oldest first. Absent if they have never changed. */
  readonly epochs?: readonly StreamEpoch[];
  /** The number of partitions to which the stream is changing. Absent otherwise. */
  readonly nextPartitions?: number;
  readonly compaction: "key" | "none";
  readonly retentionHours: number;
  /** How many days events are kept in the archive. Absent when nothing is archived. */
  readonly archiveDays?: number;
  readonly archiveLock?: "governance" | "compliance";
  readonly createdAt: string;
  /** Changes when the name is created again, and when the table is restored. */
  readonly life: string;
};

/** The partitions of a stream for a part of its life. */
export type StreamEpoch = {
  readonly partitions: number;
  /** No event of it has a lower sequence, and none of the epochs before it has a higher one. */
  readonly firstSequence: number;
  readonly since: string;
};

/** With `archiveKeptUntil`, locks keep the archive until then at most. */
export type StreamDeletion = {
  readonly name: string;
  readonly status: "deleting";
  readonly archiveKeptUntil?: string;
};

type StreamStatistics = {
  /** The number of events ever published. */
  readonly eventCount: number;
  /** For how many minutes writers have waited for each other, if more partitions would follow. */
  readonly crowdedMinutes?: number;
  /** The bytes of the compacted events before compression. */
  readonly bytes: number;
  readonly firstEventAt: string | null;
  readonly lastEventAt: string | null;
  /** The distance from the compaction watermark to the end of the stream. */
  readonly watermarkLag: Lag;
  readonly subscriptionCount: number;
  readonly archive?: Archive;
};

export type Archive = {
  /**
   * On a stream with one partition, every event from here on can be read, from the archive or the
   * table.
   */
  readonly earliestSequence?: number;
  readonly segments: number;
  readonly events: number;
  readonly bytes: number;
  readonly lag: Lag;
};

export type ArchiveReceipt = {
  readonly segments: number;
  readonly events: number;
  readonly bytes: number;
  /** The compacted events that are not archived so far. */
  readonly watermarkLag: Lag;
  readonly done: boolean;
};

/** A range of events in one object of the bucket. */
export type ArchiveSegment = {
  readonly partition: number;
  readonly first: number;
  readonly next: number;
  readonly firstEventAt: string;
  readonly lastEventAt: string;
  readonly events: number;
  readonly rawBytes: number;
  readonly bytes: number;
  readonly object: string;
  readonly sha256: string;
  readonly chain: string;
  /** Present when an erasure has put another object in the place of the first. */
  readonly rewritten?: {
    readonly sha256: string;
    readonly erasure: string;
    readonly proof: string;
  };
};

export type ArchiveFault = {
  readonly partition: number;
  readonly first: number;
  readonly next: number;
  readonly object?: string;
  readonly reason: "missing" | "changed" | "out-of-chain";
};

export type ArchiveVerification = {
  /** The number of segments that have not changed since they were written. */
  readonly segments: number;
  readonly events: number;
  readonly bytes: number;
  readonly fault: ArchiveFault | null;
  readonly cursor: string | null;
};

/** The receipt of an erasure. */
export type Erasure = {
  readonly id: string;
  readonly key: string;
  readonly reason: string;
  readonly status: "accepted" | "erasing" | "done";
  readonly createdAt: string;
  /** The sequence of its tombstone. */
  readonly sequence?: number;
  /** While it waits: when it can be done. */
  readonly doneFrom?: string;
  readonly doneAt?: string;
  /** Which subscriptions have committed past the tombstone. */
  readonly subscriptions: {
    readonly passed: number;
    readonly waiting: readonly string[];
    readonly more: boolean;
  };
};

export type ListedErasure = Omit<Erasure, "subscriptions">;

export type ErasureCheck = {
  readonly batches: number;
  readonly segments: number;
  readonly erasedEvents: number;
  /** The first event that still has its data. */
  readonly found: {
    readonly where: "table" | "archive" | "state";
    readonly sequence: number;
  } | null;
  readonly cursor: string | null;
};

/** An object of an export: gzip, with one event per line. */
export type ExportPart = {
  readonly events: number;
  readonly rawBytes: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly object: string;
  readonly ranges: readonly {
    readonly partition: number;
    readonly first: number;
    readonly last: number;
  }[];
  /** Reads the object without a key for an hour. Keep it secret. */
  readonly url: string;
};

/** An export with a page of its parts. */
export type Export = {
  readonly id: string;
  readonly view: "log" | "state";
  readonly status: "running" | "done" | "failed";
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly partCount: number;
  readonly events: number;
  readonly rawBytes: number;
  readonly bytes: number;
  /** A cursor after which exactly the events follow that are not in the export. */
  readonly follow?: string;
  /** The code of the problem that ended the export. */
  readonly problem?: string;
  readonly parts: readonly ExportPart[];
  readonly cursor: string | null;
};

export type StreamInfo = StreamAnswer &
  StreamStatistics & {
    readonly subscriptions: readonly { readonly name: string; readonly lag: Lag }[];
  };

/** A stream from a list. It has statistics if they were requested. */
export type ListedStream = StreamAnswer & Partial<StreamStatistics>;

/** The schemas of a stream's events. */
export type Schemas = {
  /** JSON Schemas by the type of event. */
  readonly schemas: Readonly<Record<string, unknown>>;
  /** What happens to events of other types. */
  readonly undeclared: "accepted" | "refused";
  readonly compatibility: "none" | "backward" | "forward" | "full";
};

/** A part of a schema that is not proven to be compatible. */
export type SchemaDifference = {
  readonly direction: "backward" | "forward";
  readonly type?: string;
  /** Into the new schemas for `backward`, and into the former ones for `forward`. */
  readonly pointer: string;
  readonly rule: string;
  readonly detail: string;
};

/** A field that a subscription reads and a change breaks. */
export type BrokenRead = {
  readonly subscription: string;
  readonly type: string;
  readonly field: string;
  readonly detail: string;
};

/** What a change of schemas would do. */
export type SchemaCheck = {
  readonly accepted: boolean;
  readonly backward: boolean;
  readonly forward: boolean;
  readonly differences: readonly SchemaDifference[];
  readonly breaks: readonly BrokenRead[];
};

export type CompactReceipt = {
  readonly compactedEvents: number;
  readonly keys: number;
  readonly watermarkLag: Lag;
  readonly done: boolean;
};

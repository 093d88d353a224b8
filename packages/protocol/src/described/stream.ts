import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { CreateStream } from "../stream.ts";
import { boundedInteger, described, ListCursor, Name, Timestamp } from "../text.ts";
import { Archive } from "./archive.ts";
import { Lag } from "./lag.ts";
import { Life } from "./life.ts";

const { name, description, archiveDays: _, partitions: __, ...settings } = CreateStream.shape;

/** The partitions that a stream had, or has, for a part of its life. */
const StreamEpoch = described(
  z.object({
    partitions: described(z.int().check(z.gte(1)), {
      description: "The number of its partitions.",
    }),
    firstSequence: described(z.int().check(z.gte(1)), {
      description:
        "No event of it has a lower sequence, and none of the epochs before it has a higher one.",
    }),
    since: described(Timestamp, {
      description: "When it began. No event of it was published before that.",
    }),
  }),
  { id: "StreamEpoch", description: "The partitions of a stream for a part of its life." },
);

/** A stream's configuration. */
export const Stream = described(
  z.object({
    name,
    description,
    partitions: described(boundedInteger({ min: 1, max: LIMITS.partitionsMax }), {
      description: "The number of partitions that the stream is written to in parallel.",
    }),
    ...settings,
    autoPartitions: described(z.optional(z.literal(true)), {
      description:
        "True if the stream gets more partitions by itself when its writers wait for each other. Absent otherwise.",
    }),
    epochs: described(z.optional(z.array(StreamEpoch)), {
      description:
        "The partitions that the stream has had, oldest first. The last entry is the present one. Absent in a stream whose partitions have never changed.",
    }),
    nextPartitions: described(z.optional(z.int().check(z.gte(1))), {
      description:
        "The number of partitions to which the stream is changing. Absent when no change is in progress.",
    }),
    archiveDays: described(z.optional(boundedInteger({ min: 1, max: LIMITS.archiveDaysMax })), {
      description:
        "How many days events are kept in the archive, from their publication. Absent when nothing is archived.",
    }),
    createdAt: described(Timestamp, { description: "When this stream was created." }),
    life: Life,
  }),
  { id: "Stream", description: "A stream's settings." },
);
export type Stream = z.infer<typeof Stream>;

/** The distance from the compaction watermark to the end of the stream. */
export const WatermarkLag = described(
  z.object({
    events: described(z.int().check(z.gte(0)), {
      description: "The number of events that are not compacted yet.",
    }),
    seconds: described(z.number().check(z.gte(0)), {
      description: "The age of the oldest of these events; 0 if there are none.",
    }),
  }),
  { id: "WatermarkLag", description: "How far compaction is from the end of the stream." },
);

const SubscriptionLag = described(z.object({ name: Name, lag: Lag }), {
  id: "SubscriptionLag",
  description: "How far a subscription is from the end of its stream.",
});

/** A stream with statistics of what it holds now. */
export const StreamInfo = described(
  z.object({
    ...Stream.shape,
    eventCount: described(z.int().check(z.gte(0)), {
      description: "The number of events ever published.",
    }),
    bytes: described(z.int().check(z.gte(0)), {
      description: "The bytes of the compacted events before compression.",
    }),
    firstEventAt: described(z.nullable(Timestamp), {
      description: "When the oldest kept event was published; null if there are no events.",
    }),
    lastEventAt: described(z.nullable(Timestamp), {
      description: "When the last event was published; null if there are no events.",
    }),
    watermarkLag: WatermarkLag,
    crowdedMinutes: described(z.optional(z.int().check(z.gte(0))), {
      description:
        "With `autoPartitions` only: for how many minutes in a row writers have waited for each other, in the partition where it is longest. After three, the stream gets more partitions if half of them are like that.",
    }),
    archive: described(z.optional(Archive), {
      description: "Absent in a stream that never had an archive.",
    }),
    subscriptionCount: described(z.int().check(z.gte(0)), {
      description: "The number of subscriptions of the stream.",
    }),
    subscriptions: described(z.array(SubscriptionLag), {
      description:
        "The lag of subscriptions, in order of their names. At most 256 divided by the number of partitions are listed.",
    }),
  }),
  { id: "StreamInfo", description: "A stream's settings and statistics." },
);
export type StreamInfo = z.infer<typeof StreamInfo>;

const { subscriptions: ___, ...numbers } = StreamInfo.shape;

/** A stream in a list. It has statistics when the client asked for them. */
export const ListedStream = described(
  z.object({ ...z.partial(z.object(numbers)).shape, ...Stream.shape }),
  {
    id: "ListedStream",
    description:
      "A stream's settings, and with `include=stats` its statistics. `subscriptionCount` is absent above 500. The statistics are absent while a restore is not complete.",
  },
);
export type ListedStream = z.infer<typeof ListedStream>;

export const StreamList = described(
  z.object({ streams: z.array(ListedStream), cursor: z.nullable(ListCursor) }),
  { id: "StreamList", description: "A page of streams, by name." },
);

export const StreamDeletion = described(
  z.object({
    name: Name,
    status: described(z.literal("deleting"), {
      description: "The stream is deleted, and its data is being removed.",
    }),
    archiveKeptUntil: described(z.optional(Timestamp), {
      description:
        "Only with an `archiveLock`: until when the locks keep the archive at most. It is removed after that. Everything else is removed now.",
    }),
  }),
  {
    id: "StreamDeletion",
    description: "A stream whose data is being removed.",
  },
);

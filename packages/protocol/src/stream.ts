import * as z from "zod";
import { LIMITS } from "./limits.ts";
import { ListCursor, Name, Timestamp, wellFormedText } from "./text.ts";

const settings = {
  description: wellFormedText(LIMITS.descriptionBytesMax),
  retentionHours: z.int().min(1).max(LIMITS.retentionHoursMax),
  archiveDays: z
    .null({ error: "must be null: this version keeps no archive" })
    .meta({ description: "Reserved for the archive." }),
};

/** What a stream is made from. */
export const CreateStream = z
  .strictObject({
    name: Name,
    description: settings.description.default(""),
    partitions: z
      .int()
      .min(1)
      .max(LIMITS.partitionsMax)
      .default(1)
      .meta({ description: "Write lanes. Invisible to clients; order holds per key." }),
    compaction: z
      .enum(["key", "none"])
      .default("key")
      .meta({ description: "`key` keeps the current state of every key, for bootstrap." }),
    retentionHours: settings.retentionHours.default(LIMITS.retentionHoursDefault),
    archiveDays: settings.archiveDays.default(null),
  })
  .meta({ id: "CreateStream", examples: [{ name: "orders" }] });
export type CreateStream = z.infer<typeof CreateStream>;

export const PatchStream = z
  .strictObject({
    description: settings.description.optional(),
    retentionHours: settings.retentionHours.optional(),
    archiveDays: settings.archiveDays.optional(),
  })
  .meta({ id: "PatchStream", examples: [{ retentionHours: 720 }] });
export type PatchStream = z.infer<typeof PatchStream>;

/** A stream's configuration. */
export const Stream = z
  .object({ ...CreateStream.shape, createdAt: Timestamp })
  .meta({ id: "Stream" });
export type Stream = z.infer<typeof Stream>;

/** How far compaction is behind the end of the stream. */
export const WatermarkLag = z
  .object({ events: z.int().min(0), seconds: z.number().min(0) })
  .meta({ id: "WatermarkLag" });

export const Lag = z
  .object({
    events: z.int().min(0).meta({ description: "Events between the position and the end." }),
    seconds: z.number().min(0).meta({ description: "Age of the oldest of them; 0 when none." }),
  })
  .meta({ id: "Lag" });
export type Lag = z.infer<typeof Lag>;

/** A stream with what is in it right now. */
export const StreamInfo = z
  .object({
    ...Stream.shape,
    eventCount: z.int().min(0).meta({ description: "Events ever published." }),
    bytes: z.int().min(0).meta({
      description: "Bytes of those events before compression, as compaction has counted them.",
    }),
    firstEventAt: Timestamp.nullable(),
    lastEventAt: Timestamp.nullable(),
    watermarkLag: WatermarkLag,
    subscriptionCount: z.int().min(0),
    subscriptions: z.array(z.object({ name: Name, lag: Lag })).meta({
      description:
        "How far they are behind: the first by name, as many as 256 positions in partitions allow.",
    }),
  })
  .meta({ id: "StreamInfo" });
export type StreamInfo = z.infer<typeof StreamInfo>;

export const StreamList = z
  .object({ streams: z.array(Stream), cursor: ListCursor.nullable() })
  .meta({ id: "StreamList" });

export const StreamDeletion = z
  .object({ name: Name, status: z.literal("deleting") })
  .meta({ id: "StreamDeletion" });

import * as z from "zod";
import { CreateStream } from "../stream.ts";
import { ListCursor, Name, Timestamp } from "../text.ts";

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

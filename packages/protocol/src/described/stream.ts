import * as z from "zod/mini";
import { CreateStream } from "../stream.ts";
import { described, ListCursor, Name, Timestamp } from "../text.ts";
import { Lag } from "./lag.ts";
import { Life } from "./life.ts";

const { archiveDays: _, ...settings } = CreateStream.shape;

/** A stream's configuration. */
export const Stream = described(
  z.object({
    ...settings,
    createdAt: described(Timestamp, { description: "When this stream was created." }),
    life: Life,
  }),
  { id: "Stream", description: "A stream's settings." },
);
export type Stream = z.infer<typeof Stream>;

/** The distance from the compaction watermark to the end of the stream. */
export const WatermarkLag = described(
  z.object({
    events: described(z.int().check(z.gte(0)), { description: "Events that are not compacted." }),
    seconds: described(z.number().check(z.gte(0)), {
      description: "Age of the oldest of them; 0 when none.",
    }),
  }),
  { id: "WatermarkLag", description: "How far compaction is from the end of the stream." },
);

const SubscriptionLag = described(z.object({ name: Name, lag: Lag }), {
  id: "SubscriptionLag",
  description: "How far a subscription is from the end of its stream.",
});

/** A stream with what is in it right now. */
export const StreamInfo = described(
  z.object({
    ...Stream.shape,
    eventCount: described(z.int().check(z.gte(0)), { description: "Events ever published." }),
    bytes: described(z.int().check(z.gte(0)), {
      description: "Bytes of those events before compression, as compaction has counted them.",
    }),
    firstEventAt: described(z.nullable(Timestamp), {
      description: "When the oldest event that is kept was published; null without events.",
    }),
    lastEventAt: described(z.nullable(Timestamp), {
      description: "When the last event was published; null without events.",
    }),
    watermarkLag: WatermarkLag,
    subscriptionCount: described(z.int().check(z.gte(0)), {
      description: "How many subscriptions read the stream.",
    }),
    subscriptions: described(z.array(SubscriptionLag), {
      description:
        "The lag of the first subscriptions by name: as many as 256 divided by the partitions.",
    }),
  }),
  { id: "StreamInfo", description: "A stream's settings and what is in it now." },
);
export type StreamInfo = z.infer<typeof StreamInfo>;

const { subscriptions: __, ...numbers } = StreamInfo.shape;

/** A stream in a list. It has numbers when the client asked for them. */
export const ListedStream = described(
  z.object({ ...z.partial(z.object(numbers)).shape, ...Stream.shape }),
  {
    id: "ListedStream",
    description:
      "A stream's settings, and with `include=stats` what is in it now. `subscriptionCount` is absent above 500; the numbers are absent while a restore is not complete.",
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
    status: described(z.literal("deleting"), { description: "Its data is being removed." }),
  }),
  {
    id: "StreamDeletion",
    description: "A stream whose data is being removed.",
  },
);

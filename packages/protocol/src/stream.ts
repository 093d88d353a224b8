import * as z from "zod";
import { LIMITS } from "./limits.ts";
import { Name, wellFormedText } from "./text.ts";

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

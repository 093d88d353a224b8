import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { boundedInteger, described, Name, wellFormedText } from "./text.ts";

const settings = {
  description: wellFormedText(LIMITS.descriptionBytesMax),
  retentionHours: boundedInteger({ min: 1, max: LIMITS.retentionHoursMax }),
  archiveDays: described(z.null({ error: "must be null: this version keeps no archive" }), {
    description: "Reserved for a future archive. Must be null.",
    hidden: true,
  }),
};

/** The settings of a new stream. */
export const CreateStream = described(
  z.strictObject({
    name: Name,
    description: z._default(settings.description, ""),
    partitions: described(z._default(boundedInteger({ min: 1, max: LIMITS.partitionsMax }), 1), {
      description:
        "The number of partitions that the stream is written to in parallel. Clients do not see them. Events of one key keep their order.",
    }),
    compaction: described(z._default(z.enum(["key", "none"]), "key"), {
      description:
        "With `key`, the stream keeps the current state of every key, which bootstrap needs.",
    }),
    retentionHours: z._default(settings.retentionHours, LIMITS.retentionHoursDefault),
    archiveDays: z._default(settings.archiveDays, null),
  }),
  { id: "CreateStream", examples: [{ name: "orders" }] },
);
export type CreateStream = z.infer<typeof CreateStream>;

export const PatchStream = described(
  z.strictObject({
    description: z.optional(settings.description),
    retentionHours: z.optional(settings.retentionHours),
    archiveDays: z.optional(settings.archiveDays),
  }),
  { id: "PatchStream", examples: [{ retentionHours: 720 }] },
);
export type PatchStream = z.infer<typeof PatchStream>;

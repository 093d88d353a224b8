import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { boundedInteger, described, Name, wellFormedText } from "./text.ts";

const PARTITIONS = { min: 1, max: LIMITS.partitionsMax, or: "auto" };

const settings = {
  partitions: z.union([boundedInteger(PARTITIONS), z.literal("auto")], {
    error: `must be an integer from ${PARTITIONS.min} to ${PARTITIONS.max} or ${PARTITIONS.or}`,
  }),
  description: wellFormedText(LIMITS.descriptionBytesMax),
  retentionHours: boundedInteger({ min: 1, max: LIMITS.retentionHoursMax }),
  archiveDays: z.nullable(boundedInteger({ min: 1, max: LIMITS.archiveDaysMax })),
  archiveLock: described(z.enum(["governance", "compliance"]), {
    description:
      "Locks each object of the archive until its days are over. With `governance` an administrator of the bucket can lift a lock, with `compliance` no account can.",
  }),
};

/** The settings of a new stream. */
export const CreateStream = described(
  z.strictObject({
    name: Name,
    description: z._default(settings.description, ""),
    partitions: described(z._default(settings.partitions, 1), {
      description:
        "The number of partitions that the stream is written to in parallel. Clients do not see them. Events of one key keep their order. With `auto` the stream begins with one and gets more by itself when its writers wait for each other.",
    }),
    compaction: described(z._default(z.enum(["key", "none"]), "key"), {
      description:
        "With `key`, the stream keeps the current state of every key, which bootstrap needs.",
    }),
    retentionHours: z._default(settings.retentionHours, LIMITS.retentionHoursDefault),
    archiveDays: described(z._default(settings.archiveDays, null), {
      description:
        "How many days events are kept in the archive, from their publication. When absent, the stream has no archive.",
      nullHidden: true,
    }),
    archiveLock: z.optional(settings.archiveLock),
  }),
  { id: "CreateStream", examples: [{ name: "orders" }] },
);
export type CreateStream = z.infer<typeof CreateStream>;

export const PatchStream = described(
  z.strictObject({
    description: z.optional(settings.description),
    partitions: described(z.optional(settings.partitions), {
      description:
        "The stream goes on in this many partitions, and the answer comes once it does. Publishers and readers need not stop. Each change adds partitions, and a stream has at most 96 over all changes. With `auto` it keeps its partitions, and gets more by itself from now on; a number ends that.",
    }),
    retentionHours: z.optional(settings.retentionHours),
    archiveDays: described(z.optional(settings.archiveDays), {
      description:
        "Applies to everything in the archive at once. With null, nothing more is archived, and what is archived stays until its days are over. With an `archiveLock` it cannot become less.",
    }),
    archiveLock: described(z.optional(settings.archiveLock), {
      description:
        "Locks each object that is written to the archive from now on, until its days are over. Objects that are there keep the lock that they have, or none. `governance` can become `compliance`. A lock cannot be removed.",
    }),
  }),
  { id: "PatchStream", examples: [{ retentionHours: 720 }] },
);
export type PatchStream = z.infer<typeof PatchStream>;

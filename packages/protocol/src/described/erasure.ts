import * as z from "zod/mini";
import { ErasureId } from "../erasure.ts";
import { described, ListCursor, Timestamp } from "../text.ts";

const count = z.int().check(z.gte(0));

const summary = {
  id: ErasureId,
  key: described(z.string(), { description: "The key whose data is erased." }),
  reason: described(z.string(), { description: "The reason that was given." }),
  status: described(z.enum(["accepted", "erasing", "done"]), {
    description:
      "`accepted`: it is durable, and its tombstone is still to come. `erasing`: the tombstone is in the log. `done`: the data is nowhere any more.",
  }),
  createdAt: described(Timestamp, { description: "When it was accepted." }),
  sequence: described(z.optional(z.int().check(z.gte(1))), {
    description: "The sequence of its tombstone. Earlier events of the key lose their data.",
  }),
  doneFrom: described(z.optional(Timestamp), {
    description:
      "While it waits: when it can be done. Processes forget what they have read by then, and locks of the archive end.",
  }),
  doneAt: described(z.optional(Timestamp), { description: "When it was done." }),
};

export const ErasureSummary = described(z.object(summary), {
  id: "ErasureSummary",
  description: "An erasure, without the subscriptions that have passed it.",
});

export const Erasure = described(
  z.object({
    ...summary,
    subscriptions: described(
      z.object({
        passed: described(count, {
          description: "The number that have committed past the tombstone.",
        }),
        waiting: described(z.array(z.string()), {
          description: "The names of those that have not committed past it.",
        }),
        more: described(z.boolean(), {
          description: "True when there are more subscriptions than were checked.",
        }),
      }),
      {
        description:
          "Which subscriptions have passed the tombstone. Those whose filter leaves the key out are not counted.",
      },
    ),
  }),
  { id: "Erasure", description: "The receipt of an erasure." },
);
export type Erasure = z.infer<typeof Erasure>;

export const ErasureList = described(
  z.object({
    erasures: described(z.array(ErasureSummary), { description: "The erasures of this page." }),
    cursor: z.nullable(ListCursor),
  }),
  { id: "ErasureList", description: "A page of erasures, the oldest first." },
);
export type ErasureList = z.infer<typeof ErasureList>;

export const ErasureCheck = described(
  z.object({
    batches: described(count, { description: "The number of batches that were read whole." }),
    segments: described(count, { description: "The number of segments that were read whole." }),
    erasedEvents: described(count, {
      description:
        "The number of erased events in them. An event that is in the table and in the archive counts twice.",
    }),
    found: described(
      z.nullable(
        z.object({
          where: described(z.enum(["table", "archive", "state"]), {
            description: "The log in the table, the archive, or the compacted state.",
          }),
          sequence: described(count, { description: "The sequence of the event." }),
        }),
      ),
      { description: "The first event that still has its data; null if there is none." },
    ),
    cursor: described(z.nullable(ListCursor), {
      description: "Where the check continues; null when it is complete or found something.",
    }),
  }),
  { id: "ErasureCheck", description: "The result of checking an erasure." },
);
export type ErasureCheck = z.infer<typeof ErasureCheck>;

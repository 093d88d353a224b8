import * as z from "zod";
import { EventKey } from "../event.ts";
import { Reason } from "../parking.ts";
import { ListCursor, Timestamp } from "../text.ts";

/** A key whose events wait. */
export const ParkedKey = z
  .object({
    key: EventKey,
    sequence: z.int().min(1).meta({ description: "Its first event that waits." }),
    reason: Reason,
    parkedAt: Timestamp,
    status: z
      .enum(["parked", "retrying"])
      .meta({ description: "`retrying`: polls deliver what waits, and then the key is free." }),
  })
  .meta({ id: "ParkedKey" });
export type ParkedKey = z.infer<typeof ParkedKey>;

export const ParkedList = z
  .object({ parked: z.array(ParkedKey), cursor: ListCursor.nullable() })
  .meta({ id: "ParkedList" });
export type ParkedList = z.infer<typeof ParkedList>;

/** How a key stands after a retry or a skip. */
export const ReleaseReceipt = z
  .object({
    key: EventKey,
    status: z.enum(["retrying", "free"]).meta({
      description: "`free`: nothing of it waits below the committed position.",
    }),
  })
  .meta({ id: "ReleaseReceipt" });
export type ReleaseReceipt = z.infer<typeof ReleaseReceipt>;

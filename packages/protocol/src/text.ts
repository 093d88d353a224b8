import * as z from "zod";
import { LIMITS, NAME } from "./limits.ts";

const encoder = new TextEncoder();

/** Whether a string has at most so many bytes in UTF-8. No UTF-16 unit takes more than 3 of them. */
const hasUtf8BytesAtMost = (text: string, bytesMax: number): boolean =>
  text.length * 3 <= bytesMax || encoder.encode(text).length <= bytesMax;

/**
 * A string of `1..bytesMax` UTF-8 bytes. Lone surrogates are refused: they have no UTF-8 form, and
 * two different ones would become the same table key.
 */
export const boundedText = (bytesMax: number) => wellFormedText(bytesMax).min(1);

/** The same, possibly empty. */
export const wellFormedText = (bytesMax: number) =>
  z
    .string()
    .refine((text) => text.isWellFormed(), { error: "must not hold a lone surrogate" })
    .refine((text) => hasUtf8BytesAtMost(text, bytesMax), {
      error: `must be at most ${bytesMax} bytes of UTF-8`,
    })
    .meta({ maxLength: bytesMax });

/** The name of a stream or a subscription. */
export const Name = z
  .string()
  .regex(NAME, {
    error: `must match ${NAME.source}: lower-case letters, digits, dot, dash and underscore`,
  })
  .meta({ id: "Name", examples: ["orders"] });

/** A moment, RFC 3339, with any offset. */
export const Timestamp = z.iso.datetime({ offset: true }).meta({
  id: "Timestamp",
  description: "RFC 3339.",
  examples: ["2026-11-24T08:30:00Z"],
});

/** What the server hands out to continue from. Opaque: its inside may change at any time. */
export const Cursor = z
  .string()
  .min(LIMITS.cursorCharsMin)
  .max(LIMITS.cursorCharsMax)
  .regex(/^[A-Za-z0-9_-]+$/, { error: "must be a cursor as the server gave it" })
  .meta({ id: "Cursor", description: "Opaque; made by the server, bound to its stream." });

/** An integer in a query: decimal digits only, so that what is accepted is what was meant. */
export const queryInteger = ({ min, max }: { min: number; max: number }) =>
  z.preprocess(
    (text) => (typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : text),
    z.int({ error: "must be an integer" }).min(min).max(max),
  );

/** Where a list goes on. Opaque. */
export const ListCursor = z
  .string()
  .min(1)
  .max(2 * LIMITS.nameCharsMax)
  .regex(/^[A-Za-z0-9_-]+$/, { error: "must be a cursor as the server gave it" })
  .meta({ id: "ListCursor", description: "Opaque; made by the server." });

/** How much a list answers at once, and where it goes on. */
export const ListQuery = z.strictObject({
  limit: queryInteger({ min: 1, max: LIMITS.listMax })
    .default(LIMITS.listDefault)
    .meta({ default: LIMITS.listDefault }),
  cursor: ListCursor.optional(),
});

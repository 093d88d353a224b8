import * as z from "zod/mini";
import { AUDIT_STREAM, LIMITS, NAME } from "./limits.ts";

/** Returns the same schema with its description for the OpenAPI document. */
export function described<T extends z.core.$ZodType>(schema: T, meta: z.core.GlobalMeta): T {
  const copy = z.clone(schema);
  z.globalRegistry.add(copy, meta);
  return copy;
}

const encoder = new TextEncoder();

/**
 * Returns whether a string has at most `bytesMax` bytes in UTF-8. A UTF-16 unit takes at most 3
 * bytes.
 */
const hasUtf8BytesAtMost = (text: string, bytesMax: number): boolean =>
  text.length * 3 <= bytesMax || encoder.encode(text).length <= bytesMax;

/**
 * A string of `1..bytesMax` UTF-8 bytes. Lone surrogates are refused, because they have no UTF-8
 * form and different ones would become the same table key.
 */
export const boundedText = (bytesMax: number) => wellFormedText(bytesMax).check(z.minLength(1));

/** A string of `0..bytesMax` UTF-8 bytes without lone surrogates. */
export const wellFormedText = (bytesMax: number) =>
  described(
    z.string().check(
      z.refine((text) => text.isWellFormed(), { error: "must not hold a lone surrogate" }),
      z.refine((text) => hasUtf8BytesAtMost(text, bytesMax), {
        error: `must be at most ${bytesMax} bytes of UTF-8`,
      }),
    ),
    { maxLength: bytesMax },
  );

/** The name of a stream or a subscription. */
export const Name = described(
  z.string().check(
    z.regex(NAME, {
      error: `must match ${NAME.source}: lower-case letters, digits, dot, dash and underscore`,
    }),
  ),
  { id: "Name", examples: ["orders"] },
);

const READABLE = new RegExp(`^(?:${AUDIT_STREAM}|${NAME.source.slice(1, -1)})$`);

/** The name of a stream, or the audit stream, which can only be read. */
export const ReadableName = described(
  z.string().check(
    z.regex(READABLE, {
      error: `must be ${AUDIT_STREAM}, or match ${NAME.source}: lower-case letters, digits, dot, dash and underscore`,
    }),
  ),
  {
    id: "ReadableName",
    description: "The name of a stream, or of the audit stream, which can only be read.",
    examples: ["orders", AUDIT_STREAM],
  },
);

const DateTime = z.iso.datetime({ offset: true });

/**
 * A time where other forms are also allowed. `error` describes all forms. RFC 3339 allows a
 * lower-case t and z, so the value is converted to the form that every parser accepts.
 */
export const timestampOr = (error: string) =>
  described(
    z.string().check(
      z.overwrite((text) => text.replace("t", "T").replace("z", "Z")),
      z.refine((text) => DateTime.safeParse(text).success, { error }),
    ),
    { format: "date-time" },
  );

/** An RFC 3339 time with any offset. */
export const Timestamp = described(
  timestampOr("must be an RFC 3339 date and time such as 2026-11-24T08:30:00Z"),
  {
    id: "Timestamp",
    description: "RFC 3339.",
    format: "date-time",
    examples: ["2026-11-24T08:30:00Z"],
  },
);

/**
 * A place from which a client can continue. The server creates it. It is opaque: its content may
 * change at any time.
 */
export const Cursor = described(
  z
    .string()
    .check(
      z.minLength(LIMITS.cursorCharsMin),
      z.maxLength(LIMITS.cursorCharsMax),
      z.regex(/^[A-Za-z0-9_-]+$/, { error: "must be a cursor as the server gave it" }),
    ),
  {
    id: "Cursor",
    description: "An opaque cursor that the server created. It belongs to one stream.",
  },
);

/** An integer in a query. It must consist of decimal digits only, so that nothing is misread. */
export const queryInteger = ({ min, max }: { min: number; max: number }) => {
  return z.pipe(
    z.transform((text) =>
      typeof text === "string" && /^\d{1,16}$/.test(text) ? Number(text) : text,
    ),
    boundedInteger({ min, max }),
  );
};

/** An integer within bounds. Every error names both bounds, and `or` names other allowed values. */
export const boundedInteger = ({ min, max, or }: { min: number; max: number; or?: string }) => {
  const message = `must be an integer from ${min} to ${max}${or === undefined ? "" : ` or ${or}`}`;
  // A missing value is reported as required, before any other error.
  const error = ({ input }: { readonly input?: unknown }) =>
    input === undefined ? "is required" : message;
  return z
    .int({ error, abort: true })
    .check(z.gte(min, { error: message }), z.lte(max, { error: message }));
};

/** The sequence of an event. */
export const Sequence = boundedInteger({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** The sequence of an event in a query. */
export const SequenceQuery = queryInteger({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** The opaque cursor of a list. */
export const ListCursor = described(
  z
    .string()
    .check(
      z.minLength(1),
      z.maxLength(LIMITS.cursorCharsMax),
      z.regex(/^[A-Za-z0-9_-]+$/, { error: "must be a cursor as the server gave it" }),
    ),
  { id: "ListCursor", description: "An opaque cursor that the server created." },
);

/** The size of one page of a list, and the place where the list continues. */
export const ListQuery = z.strictObject({
  limit: described(z._default(queryInteger({ min: 1, max: LIMITS.listMax }), LIMITS.listDefault), {
    default: LIMITS.listDefault,
  }),
  cursor: z.optional(ListCursor),
});

/** The query of a list whose entries can include the statistics that their own views show. */
export const StatsListQuery = z.strictObject({
  ...ListQuery.shape,
  include: described(z.optional(z.literal("stats")), {
    description:
      "With `stats`, each entry has the statistics of its own view, except those that need many reads. A page may then contain fewer entries.",
  }),
});
export type StatsListQuery = z.infer<typeof StatsListQuery>;

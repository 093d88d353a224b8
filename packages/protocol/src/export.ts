import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { RangePlace } from "./place.ts";
import { described, Name } from "./text.ts";

/** The body of a new export. */
export const CreateExport = described(
  z.strictObject({
    view: described(z._default(z.enum(["log", "state"]), "log"), {
      default: "log",
      description: "`log`: the events of a range. `state`: the last event of each key.",
    }),
    from: described(z.optional(RangePlace), {
      description: "Where the events begin. The default is `earliest`. Only with `log`.",
    }),
    to: described(z.optional(RangePlace), {
      description:
        "Where the events end: before this place. The default is the end of the log at the time of the request. Only with `log`.",
    }),
    format: described(z._default(z.literal("ndjson"), "ndjson"), {
      default: "ndjson",
      description: "One event a line, compressed with gzip.",
    }),
  }),
  { id: "CreateExport", description: "What to export.", examples: [{ view: "state" }] },
);
export type CreateExport = z.infer<typeof CreateExport>;

export const ExportId = described(
  z.string().check(
    z.regex(new RegExp(`^[0-9a-f]{${LIMITS.exportIdChars}}$`), {
      error: "is not the id of an export",
    }),
  ),
  { id: "ExportId", description: "The id of an export.", examples: ["0b1f5a7c9d3e2f4a6b"] },
);

export const ExportParams = z.strictObject({ stream: Name, export: ExportId });

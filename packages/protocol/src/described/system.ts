import * as z from "zod/mini";
import { described } from "../text.ts";

export const Health = described(
  z.object({ status: described(z.literal("ok"), { description: "The service is alive." }) }),
  { id: "Health", description: "The health of the service." },
);

export const OpenApiDocument = described(z.looseObject({}), {
  id: "OpenApiDocument",
  description: "OpenAPI 3.1.",
});

/** A page for people. */
export const HtmlPage = z.string();

export const Asset = z.string();

export const AssetParams = z.object({
  file: described(z.string(), { description: "The name of the file.", examples: ["start.js"] }),
});

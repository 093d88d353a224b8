import type { Hono } from "hono";
import { generateSpecs } from "#describe";
import type { AppEnv } from "./env.ts";

/** The OpenAPI 3.1 document of the app's routes. */
export async function generateOpenApi(app: Hono<AppEnv>): Promise<object> {
  const document = await generateSpecs(app, {
    documentation: {
      openapi: "3.1.0",
      info: {
        title: "EventLedger",
        version: "1.0.0",
        description:
          "An ordered, immutable event log over plain REST. Publish your bounded context's changes; subscribers bootstrap and follow.",
        license: { name: "MIT", identifier: "MIT" },
      },
      tags: [
        { name: "streams", description: "Ordered logs with a retention and a compacted state." },
        { name: "events", description: "Publishing, and reading without a subscription." },
        { name: "subscriptions", description: "Durable positions: poll, process, commit." },
        { name: "parking", description: "Keys that are set aside because an event fails." },
        { name: "keys", description: "API keys: who may do what." },
        { name: "tenants", description: "Owners of streams and keys, for the admin key." },
        { name: "system", description: "Health and documentation." },
      ],
      components: {
        securitySchemes: {
          apiKey: { type: "http", scheme: "bearer", description: "An API key." },
        },
      },
    },
    defaultValidationErrorResponse: false,
    excludeStaticFile: false,
  });
  return tidy(document) as object;
}

const MAX = Number.MAX_SAFE_INTEGER;

/** Leaves out what only says that a number is a safe integer, and the long pattern of a date-time. */
function tidy(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(tidy);
  if (node === null || typeof node !== "object") return node;
  const noise = (name: string, value: unknown) =>
    (name === "maximum" && value === MAX) ||
    (name === "minimum" && value === -MAX) ||
    (name === "pattern" && "format" in node && node.format === "date-time");
  return Object.fromEntries(
    Object.entries(node).flatMap(([name, value]) =>
      noise(name, value) ? [] : [[name, tidy(value)]],
    ),
  );
}

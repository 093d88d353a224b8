import * as z from "zod/mini";
import { ApiKeyId, KeyScope, StreamGlob, SubscriptionGlob } from "../api-key.ts";
import { described, ListCursor, Timestamp } from "../text.ts";

/** An API key without its secret. */
export const ApiKey = described(
  z.object({
    id: ApiKeyId,
    name: z.string(),
    scopes: z.array(KeyScope),
    streams: z.array(StreamGlob),
    subscriptions: described(z.optional(z.array(SubscriptionGlob)), {
      description: "All of the streams' when absent.",
    }),
    keyPrefix: described(z.optional(z.string()), { description: "Any key when absent." }),
    createdAt: Timestamp,
    createdBy: described(z.string(), {
      description: "The id of the key that made it, or `root`.",
    }),
    expiresAt: Timestamp,
    lastUsedAt: described(z.nullable(Timestamp), { description: "Noted once an hour at most." }),
    rotatedAt: z.nullable(Timestamp),
  }),
  { id: "ApiKey" },
);
export type ApiKey = z.infer<typeof ApiKey>;

/** What making or rotating a key answers: the only time that the key itself is shown. */
export const NewApiKey = described(
  z.object({
    ...ApiKey.shape,
    apiKey: described(z.string(), { description: "The key itself. It is never shown again." }),
  }),
  { id: "NewApiKey" },
);
export type NewApiKey = z.infer<typeof NewApiKey>;

export const RotatedApiKey = described(
  z.object({
    ...NewApiKey.shape,
    formerValidUntil: described(Timestamp, {
      description: "Until then the former secret is accepted.",
    }),
  }),
  { id: "RotatedApiKey" },
);
export type RotatedApiKey = z.infer<typeof RotatedApiKey>;

export const ApiKeyList = described(
  z.object({ keys: z.array(ApiKey), cursor: z.nullable(ListCursor) }),
  { id: "ApiKeyList" },
);

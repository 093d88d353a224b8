import * as z from "zod/mini";
import { ApiKeyId, KeyScope, StreamGlob, SubscriptionGlob } from "../api-key.ts";
import { described, ListCursor, Timestamp } from "../text.ts";

/** An API key without its secret. */
export const ApiKey = described(
  z.object({
    id: described(ApiKeyId, { description: "The key's id. No secret." }),
    name: described(z.string(), { description: "For people: who uses the key, and what for." }),
    scopes: described(z.array(KeyScope), { description: "What the key may do." }),
    streams: described(z.array(StreamGlob), { description: "Which streams it may do that with." }),
    subscriptions: described(z.optional(z.array(SubscriptionGlob)), {
      description: "All of the streams' when absent.",
    }),
    keyPrefix: described(z.optional(z.string()), { description: "Any key when absent." }),
    createdAt: described(Timestamp, { description: "When the key was made." }),
    createdBy: described(z.string(), {
      description: "The id of the key that made it, or `root`.",
    }),
    expiresAt: described(Timestamp, { description: "When the key ends by itself." }),
    lastUsedAt: described(z.nullable(Timestamp), {
      description: "When it was last used, noted once an hour at most.",
    }),
    rotatedAt: described(z.nullable(Timestamp), {
      description: "When it got its present secret; null with its first.",
    }),
  }),
  { id: "ApiKey", description: "An API key without its secret." },
);
export type ApiKey = z.infer<typeof ApiKey>;

/** The answer to creating or rotating a key. The secret is shown only here. */
export const NewApiKey = described(
  z.object({
    ...ApiKey.shape,
    apiKey: described(z.string(), { description: "The key itself. It is never shown again." }),
  }),
  {
    id: "NewApiKey",
    description: "An API key with its secret, which is shown this once.",
  },
);
export type NewApiKey = z.infer<typeof NewApiKey>;

export const RotatedApiKey = described(
  z.object({
    ...NewApiKey.shape,
    formerValidUntil: described(Timestamp, {
      description: "Until then the former secret is accepted.",
    }),
  }),
  { id: "RotatedApiKey", description: "An API key with its new secret." },
);
export type RotatedApiKey = z.infer<typeof RotatedApiKey>;

export const ApiKeyList = described(
  z.object({ keys: z.array(ApiKey), cursor: z.nullable(ListCursor) }),
  { id: "ApiKeyList", description: "A page of API keys, by id." },
);

import * as z from "zod/mini";
import { ApiKeyId, KeyScope, StreamGlob, SubscriptionGlob } from "../api-key.ts";
import { described, ListCursor, Timestamp } from "../text.ts";

/** An API key without its secret. */
export const ApiKey = described(
  z.object({
    id: described(ApiKeyId, { description: "The key's id. It is not secret." }),
    name: described(z.string(), {
      description: "A note for people on who uses the key and for what.",
    }),
    scopes: described(z.array(KeyScope), { description: "What the key may do." }),
    streams: described(z.array(StreamGlob), { description: "The streams that the key covers." }),
    subscriptions: described(z.optional(z.array(SubscriptionGlob)), {
      description:
        "The subscriptions that the key covers. If absent, all subscriptions of these streams.",
    }),
    keyPrefix: described(z.optional(z.string()), {
      description: "The beginning of the event keys that the key covers. If absent, any key.",
    }),
    createdAt: described(Timestamp, { description: "When the key was created." }),
    createdBy: described(z.string(), {
      description: "The id of the key that created it, or `root`.",
    }),
    expiresAt: described(Timestamp, { description: "When the key expires." }),
    lastUsedAt: described(z.nullable(Timestamp), {
      description: "When the key was last used. It is recorded at most once an hour.",
    }),
    rotatedAt: described(z.nullable(Timestamp), {
      description: "When the key got its current secret; null if it still has its first one.",
    }),
  }),
  { id: "ApiKey", description: "An API key without its secret." },
);
export type ApiKey = z.infer<typeof ApiKey>;

/** The answer to creating or rotating a key. The secret appears only in this answer. */
export const NewApiKey = described(
  z.object({
    ...ApiKey.shape,
    apiKey: described(z.string(), { description: "The secret key. It is never shown again." }),
  }),
  {
    id: "NewApiKey",
    description: "An API key with its secret, which only this answer shows.",
  },
);
export type NewApiKey = z.infer<typeof NewApiKey>;

export const RotatedApiKey = described(
  z.object({
    ...NewApiKey.shape,
    formerValidUntil: described(Timestamp, {
      description: "When the former secret stops being accepted.",
    }),
  }),
  { id: "RotatedApiKey", description: "An API key with its new secret." },
);
export type RotatedApiKey = z.infer<typeof RotatedApiKey>;

export const ApiKeyList = described(
  z.object({ keys: z.array(ApiKey), cursor: z.nullable(ListCursor) }),
  { id: "ApiKeyList", description: "A page of API keys, by id." },
);

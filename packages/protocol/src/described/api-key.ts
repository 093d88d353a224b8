import * as z from "zod";
import { ApiKeyId, KeyScope, StreamGlob } from "../api-key.ts";
import { ListCursor, Timestamp } from "../text.ts";

/** An API key without its secret. */
export const ApiKey = z
  .object({
    id: ApiKeyId,
    name: z.string(),
    scopes: z.array(KeyScope),
    streams: z.array(StreamGlob),
    createdAt: Timestamp,
    createdBy: z.string().meta({ description: "The id of the key that made it, or `root`." }),
    expiresAt: Timestamp,
    lastUsedAt: Timestamp.nullable().meta({ description: "Noted once an hour at most." }),
    rotatedAt: Timestamp.nullable(),
  })
  .meta({ id: "ApiKey" });
export type ApiKey = z.infer<typeof ApiKey>;

/** What making or rotating a key answers: the only time that the key itself is shown. */
export const NewApiKey = z
  .object({
    ...ApiKey.shape,
    apiKey: z.string().meta({ description: "The key itself. It is never shown again." }),
  })
  .meta({ id: "NewApiKey" });
export type NewApiKey = z.infer<typeof NewApiKey>;

export const RotatedApiKey = z
  .object({
    ...NewApiKey.shape,
    formerValidUntil: Timestamp.meta({ description: "Until then the former secret is accepted." }),
  })
  .meta({ id: "RotatedApiKey" });
export type RotatedApiKey = z.infer<typeof RotatedApiKey>;

export const ApiKeyList = z
  .object({ keys: z.array(ApiKey), cursor: ListCursor.nullable() })
  .meta({ id: "ApiKeyList" });

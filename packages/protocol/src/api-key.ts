import * as z from "zod";
import { LIMITS } from "./limits.ts";
import { boundedText, Timestamp } from "./text.ts";

/** What a key may do: `admin` streams and keys, `publish` events, `consume` what streams hold. */
export const KeyScope = z.enum(["admin", "publish", "consume"]).meta({ id: "KeyScope" });
export type KeyScope = z.infer<typeof KeyScope>;

const GLOB = new RegExp(`^(?:[a-z0-9][a-z0-9._-]{0,${LIMITS.nameCharsMax - 1}}\\*?|\\*)$`);

/** Which streams a key is about: one by its name, all whose names begin with something, or all. */
export const StreamGlob = z
  .string()
  .max(LIMITS.nameCharsMax)
  .regex(GLOB, { error: "must be a stream's name, the beginning of names and *, or *" })
  .meta({ id: "StreamGlob", examples: ["orders", "billing.*", "*"] });

const unique = { error: "must not name anything twice" };
const areUnique = (items: readonly string[]) => new Set(items).size === items.length;

const permissions = {
  scopes: z.array(KeyScope).min(1).max(KeyScope.options.length).refine(areUnique, unique),
  streams: z.array(StreamGlob).min(1).max(LIMITS.keyStreamsMax).refine(areUnique, unique),
};

const KeyName = boundedText(LIMITS.keyNameBytesMax).meta({
  description: "For people: who uses the key, and what for.",
});

const ExpiresAt = Timestamp.meta({
  description: `In ${LIMITS.keyDaysDefault} days unless said otherwise, in ${LIMITS.keyDaysMax} at most, and not after the key that asks.`,
});

export const CreateApiKey = z
  .strictObject({ name: KeyName, ...permissions, expiresAt: ExpiresAt.optional() })
  .meta({
    id: "CreateApiKey",
    examples: [{ name: "shop", scopes: ["publish"], streams: ["orders", "billing.*"] }],
  });
export type CreateApiKey = z.infer<typeof CreateApiKey>;

export const RotateApiKey = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(LIMITS.keyOverlapSecondsMax)
      .default(LIMITS.keyOverlapSecondsDefault)
      .meta({ description: "How long the former secret stays valid." }),
    expiresAt: ExpiresAt.optional().meta({ description: "Unchanged unless given." }),
  })
  .meta({ id: "RotateApiKey", examples: [{ overlapSeconds: 3_600 }] });
export type RotateApiKey = z.infer<typeof RotateApiKey>;

const KEY_ID = new RegExp(`^[a-z0-9]{${LIMITS.keyIdChars}}$`);

export const ApiKeyId = z.string().regex(KEY_ID, { error: "must be the id of an API key" });

export const ApiKeyParams = z.strictObject({ id: ApiKeyId });

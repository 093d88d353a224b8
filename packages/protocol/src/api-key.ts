import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { boundedText, described, Timestamp } from "./text.ts";

/** What a key may do: `admin` streams and keys, `publish` events, `consume` what streams hold. */
export const KeyScope = described(z.enum(["admin", "publish", "consume"]), { id: "KeyScope" });
export type KeyScope = z.infer<typeof KeyScope>;

const GLOB = new RegExp(`^(?:[a-z0-9][a-z0-9._-]{0,${LIMITS.nameCharsMax - 1}}\\*?|\\*)$`);

/** Which streams a key is about: one by its name, all whose names begin with something, or all. */
export const StreamGlob = described(
  z
    .string()
    .check(
      z.maxLength(LIMITS.nameCharsMax),
      z.regex(GLOB, { error: "must be a stream's name, the beginning of names and *, or *" }),
    ),
  { id: "StreamGlob", examples: ["orders", "billing.*", "*"] },
);

const unique = { error: "must not name anything twice" };
const areUnique = (items: readonly string[]) => new Set(items).size === items.length;

const permissions = {
  scopes: z
    .array(KeyScope)
    .check(z.minLength(1), z.maxLength(KeyScope.options.length), z.refine(areUnique, unique)),
  streams: z
    .array(StreamGlob)
    .check(z.minLength(1), z.maxLength(LIMITS.keyStreamsMax), z.refine(areUnique, unique)),
};

const KeyName = described(boundedText(LIMITS.keyNameBytesMax), {
  description: "For people: who uses the key, and what for.",
});

const ExpiresAt = described(Timestamp, {
  description: `In ${LIMITS.keyDaysDefault} days unless said otherwise, in ${LIMITS.keyDaysMax} at most, and not after the key that asks.`,
});

export const CreateApiKey = described(
  z.strictObject({ name: KeyName, ...permissions, expiresAt: z.optional(ExpiresAt) }),
  {
    id: "CreateApiKey",
    examples: [{ name: "shop", scopes: ["publish"], streams: ["orders", "billing.*"] }],
  },
);
export type CreateApiKey = z.infer<typeof CreateApiKey>;

export const RotateApiKey = described(
  z.strictObject({
    overlapSeconds: described(
      z._default(
        z.int().check(z.gte(0), z.lte(LIMITS.keyOverlapSecondsMax)),
        LIMITS.keyOverlapSecondsDefault,
      ),
      { description: "How long the former secret stays valid." },
    ),
    expiresAt: described(z.optional(ExpiresAt), { description: "Unchanged unless given." }),
  }),
  { id: "RotateApiKey", examples: [{ overlapSeconds: 3_600 }] },
);
export type RotateApiKey = z.infer<typeof RotateApiKey>;

const KEY_ID = new RegExp(`^[a-z0-9]{${LIMITS.keyIdChars}}$`);

export const ApiKeyId = z
  .string()
  .check(z.regex(KEY_ID, { error: "must be the id of an API key" }));

export const ApiKeyParams = z.strictObject({ id: ApiKeyId });

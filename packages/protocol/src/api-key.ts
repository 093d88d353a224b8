import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { boundedInteger, boundedText, described, Timestamp } from "./text.ts";

/**
 * The rights of a key. `read`: look at streams, events, states and subscriptions. `consume`: poll
 * and commit. `operate`: change subscriptions. `publish`: publish events. `admin`: manage streams
 * and keys.
 */
export const KeyScope = described(z.enum(["read", "consume", "operate", "publish", "admin"]), {
  id: "KeyScope",
  description:
    "`read`: browse streams, their current state and their subscriptions. `consume`: create subscriptions, poll, commit and leave. `operate`: seek, change and delete subscriptions, park, retry and skip. `publish`: publish events. `admin`: streams and API keys.",
});
export type KeyScope = z.infer<typeof KeyScope>;

const GLOB = new RegExp(`^(?:[a-z0-9][a-z0-9._-]{0,${LIMITS.nameCharsMax - 1}}\\*?|\\*)$`);

/** The streams that a key covers: one name, a name prefix followed by `*`, or `*` for all. */
export const StreamGlob = described(
  z
    .string()
    .check(
      z.maxLength(LIMITS.nameCharsMax),
      z.regex(GLOB, { error: "must be a stream's name, the beginning of names and *, or *" }),
    ),
  { id: "StreamGlob", examples: ["orders", "billing.*", "*"] },
);

/** The subscriptions that a key covers, within the streams that it covers. */
export const SubscriptionGlob = described(
  z
    .string()
    .check(
      z.maxLength(LIMITS.nameCharsMax),
      z.regex(GLOB, { error: "must be a subscription's name, the beginning of names and *, or *" }),
    ),
  { id: "SubscriptionGlob", examples: ["shipping", "billing.*"] },
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
  subscriptions: described(
    z.optional(
      z
        .array(SubscriptionGlob)
        .check(z.minLength(1), z.maxLength(LIMITS.keyStreamsMax), z.refine(areUnique, unique)),
    ),
    { description: "Others of the streams do not exist for the key. All of them unless given." },
  ),
  keyPrefix: described(z.optional(boundedText(LIMITS.keyBytesMax)), {
    description:
      "The key publishes and reads only events whose keys begin with this. Counts and lags are of the whole stream.",
  }),
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
    examples: [
      { name: "shop", scopes: ["publish"], streams: ["orders", "billing.*"] },
      {
        name: "shipping",
        scopes: ["read", "consume"],
        streams: ["orders"],
        subscriptions: ["shipping.*"],
        keyPrefix: "eu/",
      },
    ],
  },
);
export type CreateApiKey = z.infer<typeof CreateApiKey>;

export const RotateApiKey = described(
  z.strictObject({
    overlapSeconds: described(
      z._default(
        boundedInteger({ min: 0, max: LIMITS.keyOverlapSecondsMax }),
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

export const RevokeQuery = z.strictObject({
  cascade: described(z._default(z.enum(["true", "false"]), "false"), {
    description: "true revokes as well what the key has made, and what that has made.",
  }),
});

export const ApiKeyParams = z.strictObject({ id: ApiKeyId });

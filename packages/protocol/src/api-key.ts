import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { boundedInteger, boundedText, described, Timestamp } from "./text.ts";

/**
 * The rights of a key. `read` reads streams, events, states and subscriptions. `consume` polls and
 * commits. `operate` changes subscriptions. `publish` publishes events. `admin` manages streams and
 * keys. `audit` reads the audit stream.
 */
export const KeyScope = described(
  z.enum(["read", "consume", "operate", "publish", "admin", "audit"]),
  {
    id: "KeyScope",
    description:
      "`read`: browse streams, their current state and their subscriptions. `consume`: create subscriptions, poll, commit and leave. `operate`: seek, change and delete subscriptions, park, retry and skip. `publish`: publish events. `admin`: streams and API keys. `audit`: read the audit stream.",
  },
);
export type KeyScope = z.infer<typeof KeyScope>;

const GLOB = new RegExp(`^(?:[a-z0-9][a-z0-9._-]{0,${LIMITS.nameCharsMax - 1}}\\*?|\\*)$`);

/**
 * The streams that a key covers: one name, the beginning of names followed by `*`, or `*` for all.
 */
export const StreamGlob = described(
  z.string().check(
    z.maxLength(LIMITS.nameCharsMax),
    z.regex(GLOB, {
      error: "must be a stream's name, the beginning of names followed by *, or *",
    }),
  ),
  { id: "StreamGlob", examples: ["orders", "billing.*", "*"] },
);

/** The subscriptions that a key covers, within the streams that it covers. */
export const SubscriptionGlob = described(
  z.string().check(
    z.maxLength(LIMITS.nameCharsMax),
    z.regex(GLOB, {
      error: "must be a subscription's name, the beginning of names followed by *, or *",
    }),
  ),
  { id: "SubscriptionGlob", examples: ["shipping", "billing.*"] },
);

const unique = { error: "must not contain a value twice" };
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
    {
      description:
        "The subscriptions that the key covers. For the key, the streams have no others. The default is all of them.",
    },
  ),
  keyPrefix: described(z.optional(boundedText(LIMITS.keyBytesMax)), {
    description:
      "The key publishes and reads only events whose keys begin with this. Counts and lags still refer to the whole stream.",
  }),
};

const KeyName = described(boundedText(LIMITS.keyNameBytesMax), {
  description: "A note for people on who uses the key and for what.",
});

const ExpiresAt = described(Timestamp, {
  description: `When the key expires. The default is ${LIMITS.keyDaysDefault} days from now, and the maximum is ${LIMITS.keyDaysMax} days. It cannot expire after the key that creates it.`,
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
    expiresAt: described(z.optional(ExpiresAt), {
      description: "When the key expires. If absent, this does not change.",
    }),
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
    description:
      "With true, the keys that this key created are revoked as well, and the keys that they created.",
  }),
});

export const ApiKeyParams = z.strictObject({ id: ApiKeyId });

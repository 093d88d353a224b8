import * as z from "zod/mini";
import { LIMITS } from "./limits.ts";
import { boundedInteger, described, Name, wellFormedText } from "./text.ts";

const HOUR_SECONDS = 3_600;

/** What a portal token may do. */
export const PortalScope = described(z.enum(["read", "endpoints"]), {
  id: "PortalScope",
  description:
    "`read`: read events and current states. `endpoints`: manage the pushes of the subscriptions of the token.",
});
export type PortalScope = z.infer<typeof PortalScope>;

const unique = { error: "must not contain a value twice" };
const areUnique = (items: readonly string[]) => new Set(items).size === items.length;

const names = z
  .array(Name)
  .check(z.minLength(1), z.maxLength(LIMITS.portalNamesMax), z.refine(areUnique, unique));

/** The body that makes a portal token. */
export const CreatePortalToken = described(
  z.strictObject({
    streams: described(names, { description: "The names of the streams that the token covers." }),
    keyPrefix: described(wellFormedText(LIMITS.keyBytesMax), {
      description:
        "The token covers only events whose keys begin with this. An empty text covers every key.",
    }),
    subscriptions: described(z.optional(names), {
      description:
        "The names of subscriptions that the token covers, in all of these streams. The default is none. Their filters must have a `keyPrefix` that begins with that of the token.",
    }),
    scopes: described(
      z
        .array(PortalScope)
        .check(
          z.minLength(1),
          z.maxLength(PortalScope.options.length),
          z.refine(areUnique, unique),
        ),
      { description: "What the token may do." },
    ),
    ttlSeconds: described(
      z._default(
        boundedInteger({ min: LIMITS.portalSecondsMin, max: LIMITS.portalSecondsMax }),
        HOUR_SECONDS,
      ),
      {
        default: HOUR_SECONDS,
        description: "How long the token is valid. It expires no later than the key that makes it.",
      },
    ),
  }),
  {
    id: "CreatePortalToken",
    description: "What a portal token covers, and for how long.",
    examples: [
      { streams: ["orders"], keyPrefix: "acme/", scopes: ["read"] },
      {
        streams: ["orders"],
        keyPrefix: "acme/",
        subscriptions: ["acme"],
        scopes: ["read", "endpoints"],
        ttlSeconds: 3_600,
      },
    ],
  },
);
export type CreatePortalToken = z.infer<typeof CreatePortalToken>;

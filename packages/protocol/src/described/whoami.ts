import * as z from "zod/mini";
import { KeyScope, StreamGlob, SubscriptionGlob } from "../api-key.ts";
import { described, Timestamp } from "../text.ts";
import { WaitSecondsAdvised } from "./event.ts";

const Cap = z.int().check(z.gte(0));

/** Caps that a client plans its requests by. */
const CallerLimits = described(
  z.object({
    ...{ eventBytesMax: Cap, requestBytesMax: Cap, requestEventsMax: Cap, keyBytesMax: Cap },
    ...{ pageBytesMax: Cap, pageEventsMax: Cap, listMax: Cap, idempotencyWindowHours: Cap },
  }),
  { id: "CallerLimits", description: "Caps that a client meets." },
);

/** Who calls, what the API key lets it do, and how this service wants to be used. */
export const Whoami = described(
  z.object({
    tenant: z.string(),
    keyId: described(z.string(), { description: "`root` for the admin key." }),
    scopes: z.array(KeyScope),
    streams: z.array(StreamGlob),
    subscriptions: described(z.optional(z.array(SubscriptionGlob)), {
      description: "All of the streams' when absent.",
    }),
    keyPrefix: described(z.optional(z.string()), { description: "Any key when absent." }),
    expiresAt: described(z.optional(Timestamp), { description: "Absent for the admin key." }),
    version: described(z.string(), { description: "Of the API: info.version of its document." }),
    limits: CallerLimits,
    waitSecondsAdvised: WaitSecondsAdvised,
    streaming: described(z.boolean(), {
      description: "Whether events can be received as a stream instead of by polling.",
    }),
  }),
  { id: "Whoami", description: "The API key of the request, and the service that answers it." },
);
export type Whoami = z.infer<typeof Whoami>;

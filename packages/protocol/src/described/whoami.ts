import * as z from "zod/mini";
import { KeyScope, StreamGlob, SubscriptionGlob } from "../api-key.ts";
import { PortalScope } from "../portal.ts";
import { described, Timestamp } from "../text.ts";
import { WaitSecondsAdvised } from "./event.ts";

const cap = (description: string) => described(z.int().check(z.gte(0)), { description });

/** The limits by which a client plans its requests. */
const CallerLimits = described(
  z.object({
    eventBytesMax: cap("The maximum size of an event, in bytes."),
    requestBytesMax: cap("The maximum size of the body of a publish, in bytes."),
    requestEventsMax: cap("The maximum number of events in a publish."),
    keyBytesMax: cap("The maximum size of an event's key, in bytes."),
    pageBytesMax: cap("The maximum size of the events of a page, in bytes."),
    pageEventsMax: cap("The maximum number of events in a page."),
    listMax: cap("The maximum number of items in a page of a list."),
    idempotencyWindowHours: cap(
      "The number of hours for which an Idempotency-Key makes retries safe.",
    ),
  }),
  { id: "CallerLimits", description: "The limits of requests and answers." },
);

/** The caller, the rights of its API key, and the limits of this service. */
export const Whoami = described(
  z.object({
    tenant: described(z.string(), { description: "The owner of the API key." }),
    keyId: described(z.string(), { description: "`root` for the admin key." }),
    scopes: described(z.array(KeyScope), { description: "What the key may do." }),
    streams: described(z.array(StreamGlob), { description: "The streams that the key covers." }),
    subscriptions: described(z.optional(z.array(SubscriptionGlob)), {
      description:
        "The subscriptions that the key covers. If absent, all subscriptions of these streams.",
    }),
    keyPrefix: described(z.optional(z.string()), {
      description: "The beginning of the event keys that the key covers. If absent, any key.",
    }),
    portalScopes: described(z.optional(z.array(PortalScope)), {
      description:
        "What the portal token of the request may do. Absent for an API key. A portal token has no `scopes`.",
    }),
    expiresAt: described(z.optional(Timestamp), {
      description: "When the key or the token expires. Absent for the admin key.",
    }),
    version: described(z.string(), {
      description: "The version of the API: info.version of its document.",
    }),
    limits: CallerLimits,
    waitSecondsAdvised: WaitSecondsAdvised,
    streaming: described(z.boolean(), {
      description: "Whether polls and browsing can be followed here as `text/event-stream`.",
    }),
  }),
  { id: "Whoami", description: "The API key of the request, and the service that answers it." },
);
export type Whoami = z.infer<typeof Whoami>;

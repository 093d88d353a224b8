import * as z from "zod/mini";
import { KeyScope, StreamGlob, SubscriptionGlob } from "../api-key.ts";
import { described, Timestamp } from "../text.ts";
import { WaitSecondsAdvised } from "./event.ts";

const cap = (description: string) => described(z.int().check(z.gte(0)), { description });

/** Caps that a client plans its requests by. */
const CallerLimits = described(
  z.object({
    eventBytesMax: cap("Bytes of one event."),
    requestBytesMax: cap("Bytes of the body of a publish."),
    requestEventsMax: cap("Events of a publish."),
    keyBytesMax: cap("Bytes of an event's key."),
    pageBytesMax: cap("Bytes of the events of a page."),
    pageEventsMax: cap("Events of a page."),
    listMax: cap("Items of a page of a list."),
    idempotencyWindowHours: cap("Hours for which an Idempotency-Key makes retries safe."),
  }),
  { id: "CallerLimits", description: "Caps that a client meets." },
);

/** The caller, the rights of its API key, and how this service wants to be used. */
export const Whoami = described(
  z.object({
    tenant: described(z.string(), { description: "The owner of the API key." }),
    keyId: described(z.string(), { description: "`root` for the admin key." }),
    scopes: described(z.array(KeyScope), { description: "What the key may do." }),
    streams: described(z.array(StreamGlob), { description: "Which streams it may do that with." }),
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

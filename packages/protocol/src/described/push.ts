import * as z from "zod/mini";
import { PushFormat } from "../push.ts";
import { described, ListCursor, Sequence, Timestamp } from "../text.ts";

const count = z.int().check(z.gte(0));

export const PushStatus = z.enum(["enabled", "failing", "disabled"]);
export type PushStatus = z.infer<typeof PushStatus>;

const shape = {
  url: described(z.string(), { description: "Where events are sent." }),
  format: described(PushFormat, { description: "The format of the body of a delivery." }),
  concurrency: described(count, {
    description: "The number of keys whose events are sent at the same time.",
  }),
  timeoutSeconds: described(count, { description: "How long the endpoint may take." }),
  status: described(PushStatus, {
    description:
      "`failing`: the endpoint refuses everything, so the position is held and at most three keys are tried from time to time. `disabled`: nothing is sent.",
  }),
  disabledBecause: described(
    z.optional(z.enum(["asked", "gone", "failing", "retention-passed", "outside-prefix"])),
    {
      description:
        "Why it is disabled: by a request, because the endpoint answered 410, because nothing was accepted for 5 days, because the log no longer has the events at the position, or because the filter lets keys through that the caller who set the endpoint may not read.",
    },
  ),
  remedy: described(z.optional(z.string()), {
    description: "What to do about a disabled push.",
  }),
  failingSince: described(z.optional(Timestamp), {
    description: "When the endpoint began to refuse everything.",
  }),
  nextAttemptAt: described(z.optional(Timestamp), {
    description: "When the next event is tried while the endpoint is failing.",
  }),
  retryingKeys: described(count, {
    description: "The number of keys that wait for their next attempt.",
  }),
  givenUpKeys: described(count, {
    description: "The number of keys that are parked after their last attempt.",
  }),
  createdAt: described(Timestamp, { description: "When the push was set up." }),
};

export const Push = described(z.object(shape), {
  id: "Push",
  description: "The endpoint of a subscription, and the state of its deliveries.",
});
export type Push = z.infer<typeof Push>;

export const NewPush = described(
  z.object({
    ...shape,
    secret: described(z.string(), {
      description: "Verifies signatures: `whsec_` and base64. It is shown once.",
    }),
  }),
  { id: "NewPush", description: "A push with its new secret." },
);
export type NewPush = z.infer<typeof NewPush>;

const attempt = {
  status: described(z.optional(count), { description: "The status of the endpoint's answer." }),
  error: described(z.optional(z.string()), { description: "Why there is no answer." }),
  answer: described(z.optional(z.string()), {
    description: "The beginning of the body of the answer.",
  }),
};

export const PushAttempt = described(
  z.object({
    id: described(z.string(), { description: "The `webhook-id` of the delivery." }),
    delivered: described(z.boolean(), { description: "Whether the answer was a 2xx." }),
    ...attempt,
  }),
  { id: "PushAttempt", description: "The answer of an endpoint to one delivery." },
);
export type PushAttempt = z.infer<typeof PushAttempt>;

export const PushDelivery = described(
  z.object({
    id: described(z.string(), { description: "The `webhook-id` of the delivery." }),
    key: described(z.string(), { description: "The key of the event." }),
    sequence: described(Sequence, { description: "The sequence of the event." }),
    at: described(Timestamp, { description: "When it failed." }),
    attempt: described(count, { description: "Which attempt this was, from 1." }),
    nextAttemptAt: described(z.optional(Timestamp), {
      description: "When the key is tried again. Absent while the endpoint is failing.",
    }),
    ...attempt,
  }),
  { id: "PushDelivery", description: "A failed delivery." },
);
export type PushDelivery = z.infer<typeof PushDelivery>;

export const PushDeliveryList = described(
  z.object({
    deliveries: described(z.array(PushDelivery), {
      description: "Failed deliveries, the newest first.",
    }),
    cursor: described(z.nullable(ListCursor), {
      description: "Where the list continues; null at the end.",
    }),
  }),
  { id: "PushDeliveryList", description: "A page of failed deliveries." },
);
export type PushDeliveryList = z.infer<typeof PushDeliveryList>;

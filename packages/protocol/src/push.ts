import * as z from "zod/mini";
import { EventKey } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { boundedInteger, described, ListQuery, Sequence, timestampOr } from "./text.ts";

const CONCURRENCY = 8;
const TIMEOUT_SECONDS = 15;

/** The format of the body of a delivery. */
export const PushFormat = z.enum(["standard", "cloudevents"]);
export type PushFormat = z.infer<typeof PushFormat>;

const PushUrl = described(
  z
    .string()
    .check(
      z.maxLength(LIMITS.pushUrlCharsMax),
      z.regex(/^https?:\/\/[!-~]+$/, { error: "must be an http or https URL" }),
    ),
  { format: "uri", examples: ["https://shop.example/hooks/orders"] },
);

/** The body that sets where a subscription is pushed to. */
export const PutPush = described(
  z.strictObject({
    url: described(PushUrl, {
      description: "Where events are sent. Deployed stages accept only https on port 443.",
    }),
    format: described(z._default(PushFormat, "standard"), {
      default: "standard",
      description:
        "`standard`: the payload of Standard Webhooks. `cloudevents`: a structured CloudEvent.",
    }),
    concurrency: described(
      z._default(boundedInteger({ min: 1, max: LIMITS.pushConcurrencyMax }), CONCURRENCY),
      {
        default: CONCURRENCY,
        description: "The number of keys whose events are sent at the same time.",
      },
    ),
    timeoutSeconds: described(
      z._default(boundedInteger({ min: 1, max: LIMITS.pushTimeoutSecondsMax }), TIMEOUT_SECONDS),
      { default: TIMEOUT_SECONDS, description: "How long the endpoint may take for its answer." },
    ),
  }),
  {
    id: "PutPush",
    description: "Where a subscription's events are sent, and how.",
    examples: [{ url: "https://shop.example/hooks/orders" }],
  },
);
export type PutPush = z.infer<typeof PutPush>;

/** The body that names an event to send once more. */
export const ResendBody = described(z.strictObject({ key: EventKey, sequence: Sequence }), {
  id: "ResendBody",
  description: "The event to send once more.",
  examples: [{ key: "order-1", sequence: 42 }],
});
export type ResendBody = z.infer<typeof ResendBody>;

const REPLAY_FORMS = "must be earliest or an RFC 3339 time";

const ReplayPlace = described(
  z.union([z.literal("earliest"), timestampOr(REPLAY_FORMS)], { error: REPLAY_FORMS }),
  {
    id: "ReplayPlace",
    description:
      "`earliest`, or an RFC 3339 time. Everything that was published then or later is sent once more.",
    examples: ["earliest", "2026-11-24T08:30:00Z"],
  },
);

/** The body that says from where a push sends events once more. */
export const ReplayBody = described(z.strictObject({ from: ReplayPlace }), {
  id: "ReplayBody",
  description: "The place from which a push sends events again.",
  examples: [{ from: "2026-11-24T08:30:00Z" }],
});
export type ReplayBody = z.infer<typeof ReplayBody>;

/** The query of the list of deliveries. */
export const DeliveriesQuery = z.strictObject({
  ...ListQuery.shape,
  status: described(z._default(z.literal("failed"), "failed"), {
    default: "failed",
    description: "Only failed deliveries are recorded.",
  }),
});
export type DeliveriesQuery = z.infer<typeof DeliveriesQuery>;

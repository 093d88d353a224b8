import * as z from "zod/mini";
import { LIMITS } from "../limits.ts";
import { described } from "../text.ts";

const EXAMPLE = {
  specversion: "1.0",
  id: "1",
  source: "/shop",
  type: "order.placed",
  subject: "order-123",
  data: { total: 42 },
};

/** A CloudEvent in its JSON form. Extensions are further members. */
export const CloudEvent = described(
  z.looseObject({
    specversion: described(z.literal("1.0"), { description: "The version of CloudEvents." }),
    id: described(z.string(), { description: "The event's id." }),
    source: described(z.string(), { description: "The source of the event, as a URI reference." }),
    type: described(z.string(), { description: "The event's type." }),
    subject: described(z.optional(z.string()), {
      description: "The event's key if there is no `partitionkey`.",
    }),
    partitionkey: described(z.optional(z.string()), { description: "The event's key." }),
    time: described(z.optional(z.iso.datetime({ offset: true })), { description: "RFC 3339." }),
    datacontenttype: described(z.optional(z.string()), {
      description: "The media type of the data.",
    }),
    dataschema: described(z.optional(z.string()), {
      description: "The URI of the data's schema.",
    }),
    data: described(z.optional(z.unknown()), {
      description: "Any JSON value. Without data the event is a tombstone.",
    }),
    data_base64: described(z.optional(z.string()), {
      description: "Data that is not JSON, in Base64.",
    }),
  }),
  {
    id: "CloudEvent",
    description:
      "A CloudEvent 1.0 in its JSON form. Its key is the extension `partitionkey`, or else `subject`.",
    examples: [EXAMPLE],
  },
);

export const CloudEventBatch = described(z.array(CloudEvent), {
  id: "CloudEventBatch",
  description:
    "CloudEvents in JSON. A page in this format contains only the events. Its other members are in `EventLedger-*` headers.",
});

/**
 * A batch as the body of a publish. Its items have a default so that openapi-python-client leaves
 * this body out. With a list among several bodies, it would generate a publish that always throws.
 */
export const CloudEventBatchBody = described(
  z.array(
    described(z.unknown(), {
      allOf: [{ $ref: "#/components/schemas/CloudEvent" }],
      default: EXAMPLE,
    }),
  ),
  { description: "CloudEvents in JSON. Either all of them are published or none." },
);

const attribute = (description: string) => described(z.optional(z.string()), { description });

/**
 * The headers of a publish. Binary-mode headers of CloudEvents are percent-encoded unless they are
 * ASCII.
 */
export const PublishHeaders = z.object({
  "Idempotency-Key": described(
    z.optional(z.string().check(z.minLength(1), z.maxLength(LIMITS.idempotencyKeyCharsMax))),
    {
      description: `Makes retries safe for ${LIMITS.idempotencyWindowHours} h: the request takes effect once. The key is visible ASCII, quoted or bare.`,
    },
  ),
  "If-Match": described(z.optional(z.string()), {
    description:
      "For a publish of one key: publish only if this is the sequence of the key's last event, or the ETag of its current state.",
    examples: ['"42"'],
  }),
  "If-None-Match": described(z.optional(z.literal("*")), {
    description: "For a publish of one key: publish only if the key has no current state.",
  }),
  "ce-specversion": described(z.optional(z.literal("1.0")), {
    description: "Marks the request as a CloudEvent in binary mode.",
  }),
  "ce-id": attribute("Binary mode: the event's id. Required in binary mode."),
  "ce-source": attribute(
    "Binary mode: the source of the event, as a URI reference. Required in binary mode.",
  ),
  "ce-type": attribute("Binary mode: the event's type. Required in binary mode."),
  "ce-subject": attribute("Binary mode: the event's key if there is no `ce-partitionkey`."),
  "ce-partitionkey": attribute("Binary mode: the event's key."),
  "ce-time": attribute("Binary mode: when the event happened, as an RFC 3339 time."),
  "ce-dataschema": attribute("Binary mode: the URI of the data's schema."),
});

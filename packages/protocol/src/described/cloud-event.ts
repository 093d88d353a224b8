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
    source: described(z.string(), { description: "Who made it, as a URI reference." }),
    type: described(z.string(), { description: "The event's type." }),
    subject: described(z.optional(z.string()), {
      description: "The event's key, unless there is a `partitionkey`.",
    }),
    partitionkey: described(z.optional(z.string()), { description: "The event's key." }),
    time: described(z.optional(z.iso.datetime({ offset: true })), { description: "RFC 3339." }),
    datacontenttype: described(z.optional(z.string()), {
      description: "The media type of the data.",
    }),
    dataschema: described(z.optional(z.string()), {
      description: "Where the schema of the data is, as a URI.",
    }),
    data: described(z.optional(z.unknown()), {
      description: "Any JSON. Without data the event is a tombstone.",
    }),
    data_base64: described(z.optional(z.string()), { description: "Data that is no JSON." }),
  }),
  {
    id: "CloudEvent",
    description:
      "A CloudEvent 1.0 in its JSON form. Its key is the extension `partitionkey`, else `subject`.",
    examples: [EXAMPLE],
  },
);

export const CloudEventBatch = described(z.array(CloudEvent), {
  id: "CloudEventBatch",
  description:
    "CloudEvents in JSON. Of a page, the events alone: its other members are in `EventLedger-*` headers.",
});

/**
 * A batch as the body of a publish. When one of several bodies is a list, openapi-python-client
 * generates a publish that always throws. It leaves out a list whose items have a default.
 */
export const CloudEventBatchBody = described(
  z.array(
    described(z.unknown(), {
      allOf: [{ $ref: "#/components/schemas/CloudEvent" }],
      default: EXAMPLE,
    }),
  ),
  { description: "CloudEvents in JSON, all or none." },
);

const attribute = (description: string) => described(z.optional(z.string()), { description });

/**
 * Headers of a publish. Those of CloudEvents in binary mode are percent-encoded where not ASCII.
 */
export const PublishHeaders = z.object({
  "Idempotency-Key": described(
    z.optional(z.string().check(z.minLength(1), z.maxLength(LIMITS.idempotencyKeyCharsMax))),
    {
      description: `Makes retries safe for ${LIMITS.idempotencyWindowHours} h: the request takes effect once. Visible ASCII, quoted or bare.`,
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
    description: "Says that the request is a CloudEvent in binary mode.",
  }),
  "ce-id": attribute("Binary mode: the event's id. Required there."),
  "ce-source": attribute("Binary mode: who made it, as a URI reference. Required there."),
  "ce-type": attribute("Binary mode: the event's type. Required there."),
  "ce-subject": attribute("Binary mode: the event's key, unless there is a `ce-partitionkey`."),
  "ce-partitionkey": attribute("Binary mode: the event's key."),
  "ce-time": attribute("Binary mode: when it happened, RFC 3339."),
  "ce-dataschema": attribute("Binary mode: where the schema of the data is, as a URI."),
});

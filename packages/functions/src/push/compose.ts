import { createHmac } from "node:crypto";
import { type Delivery, isTombstone, type StoredEvent } from "@eventledger/core";
import { toCloudEventJson } from "../http/formats/cloudevents.ts";

/** A request to an endpoint. */
export type Composed = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

const DEFAULT_TYPE = "eventledger.event";

/** Returns the signed request for a delivery, by the specification Standard Webhooks. */
export function compose(delivery: Delivery, now: Date): Composed {
  const { id, format, event, streamName, secrets } = delivery;
  const isStandard = format === "standard";
  const body = isStandard ? toStandard(event) : toCloudEventJson(streamName, event);
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const signatures = secrets.map((secret) => sign(secret, `${id}.${timestamp}.${body}`));
  return {
    body,
    headers: {
      "content-type": isStandard
        ? "application/json; charset=utf-8"
        : "application/cloudevents+json; charset=utf-8",
      "user-agent": "EventLedger",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signatures.join(" "),
    },
  };
}

/** Returns a signature of version 1. A secret is its prefix, and a key in Base64. */
function sign(secret: string, text: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(text).digest("base64")}`;
}

/**
 * Returns an event as the payload that Standard Webhooks recommends: `type`, `timestamp` and
 * `data`, with the data exactly as published. The other members are those of an event.
 */
function toStandard(event: StoredEvent): string {
  const { sequence, publishedAt, id, key, type = DEFAULT_TYPE, time, headers } = event;
  const timestamp = time ?? new Date(publishedAt).toISOString();
  const deleted = isTombstone(event) ? { deleted: true } : {};
  const { erased, erasure } = event;
  const members = { type, timestamp, id, key, sequence, headers, ...deleted, erased, erasure };
  return `${JSON.stringify(members).slice(0, -1)},"data":${event.data}}`;
}

import { printEvent, type StoredEvent } from "@eventledger/core";
import { PAGE_MEDIA_TYPES, type PageFormat } from "./accept.ts";
import { toCloudEventJson } from "./cloudevents.ts";

export type PrintedPage = {
  readonly contentType: string;
  readonly body: string;
  /** The members that the body cannot contain. They belong in headers. Empty for native JSON. */
  readonly headerMembers: Readonly<Record<string, unknown>>;
};

/**
 * Returns a page of events as the body of a response. A native page is an object with the events
 * first and `members` after them. A CloudEvents batch is a bare array, so its other members are
 * returned separately.
 */
export function printPage(
  members: Readonly<Record<string, unknown>>,
  events: readonly StoredEvent[],
  format: PageFormat,
  streamName: string,
): PrintedPage {
  const contentType = PAGE_MEDIA_TYPES[format];
  if (format === "cloudevents") {
    const batch = events.map((event) => toCloudEventJson(streamName, event)).join(",");
    return { contentType, body: `[${batch}]`, headerMembers: members };
  }
  const rest = JSON.stringify(members).slice(1);
  const printed = `{"events":[${events.map(printEvent).join(",")}]`;
  return { contentType, body: `${printed}${rest === "}" ? "" : ","}${rest}`, headerMembers: {} };
}

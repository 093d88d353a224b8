import type { StoredEvent } from "@eventledger/core";
import { lengthOf } from "./compressed.ts";
import { chooseFormat, PAGE_MEDIA_TYPES } from "./formats/accept.ts";
import { printPage } from "./formats/event-json.ts";

/**
 * The CloudEvents format of a page of events. Members other than the events are then in headers.
 */
export const CLOUD_EVENTS_PAGE = { [PAGE_MEDIA_TYPES.cloudevents]: "CloudEventBatch" } as const;

/** Returns a page of events in the format that the client asked for. */
export function pageResponse(
  accept: string | undefined,
  stream: string,
  events: readonly StoredEvent[],
  members: Readonly<Record<string, unknown>>,
): Response {
  const format = chooseFormat(accept);
  const { contentType, body, headerMembers } = printPage(members, events, format, stream);
  const headers = new Headers({
    "Content-Type": contentType,
    Vary: "Accept",
    ...lengthOf(body),
  });
  for (const [member, value] of Object.entries(headerMembers)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    headers.set(pageHeaderName(member), text);
  }
  return new Response(body, { headers });
}

/**
 * Returns the name of the header for a member of a page: `nextPollMs` becomes
 * `EventLedger-Next-Poll-Ms`.
 */
export const pageHeaderName = (member: string): string =>
  `EventLedger-${capitalized(member.replace(/[A-Z]/g, (letter) => `-${letter}`))}`;

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

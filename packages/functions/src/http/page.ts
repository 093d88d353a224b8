import type { StoredEvent } from "@eventledger/core";
import { lengthOf } from "./compressed.ts";
import { chooseFormat } from "./formats/accept.ts";
import { printPage } from "./formats/event-json.ts";

/** How a page of events is described beside its native form. */
export const CLOUD_EVENTS_PAGE = {
  "application/cloudevents-batch+json": {
    schema: {
      type: "array",
      items: { type: "object" },
      description:
        "The events alone; everything else of the page is in EventLedger-* headers, such as EventLedger-Cursor.",
    },
  },
} as const;

/** A page of events in the form its reader asked for. */
export function pageResponse(
  accept: string | undefined,
  stream: string,
  events: readonly StoredEvent[],
  members: Readonly<Record<string, unknown>>,
): Response {
  const format = chooseFormat(accept);
  const { contentType, body, headerMembers } = printPage(members, events, format, stream);
  const headers = new Headers({
    ...{ "Content-Type": contentType, Vary: "Accept" },
    ...lengthOf(body),
  });
  for (const [member, value] of Object.entries(headerMembers)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    headers.set(`EventLedger-${toHeaderName(member)}`, text);
  }
  return new Response(body, { headers });
}

/** `nextPollMs` is `Next-Poll-Ms` in a header. */
const toHeaderName = (member: string): string =>
  member
    .replace(/[A-Z]/g, (letter) => `-${letter}`)
    .replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());

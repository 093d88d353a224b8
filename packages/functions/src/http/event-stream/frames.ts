/**
 * The frames of an event stream, as the HTML standard defines server-sent events. A frame ends with
 * an empty line. A client that reconnects sends the last `id` back as `Last-Event-ID`.
 */

/** How long a client waits before it reconnects, in milliseconds. */
const RECONNECT_AFTER_MS = 1_000;

/** Begins an event stream. */
export const OPENING = `retry: ${RECONNECT_AFTER_MS}\n\n`;

/** Returns the frame of a page. `body` is the page in native JSON. */
export const pageFrame = (cursor: string, body: string): string =>
  `event: page\nid: ${cursor}\n${dataLines(body)}\n`;

/**
 * Returns a frame that keeps the connection open. No event reaches the client's program, but its
 * next `Last-Event-ID` is the cursor.
 */
export const heartbeatFrame = (cursor: string): string => `: no events\nid: ${cursor}\n\n`;

/** Returns the frame of the problem that ends a stream. It has no id, so the last one stays. */
export const problemFrame = (body: string): string => `event: problem\n${dataLines(body)}\n`;

/**
 * Returns a text as the `data` of a frame. Data of events is JSON as it was sent, which may have
 * line breaks between its tokens. The client joins the lines with a line feed.
 */
const dataLines = (text: string): string =>
  text
    .split(LINE_BREAK)
    .map((line) => `data: ${line}\n`)
    .join("");

const LINE_BREAK = /\r\n|\n|\r/;

const WHOLE = /^\d{1,3}$/;

/** The shortest and longest time of an event stream on Lambda, in seconds. */
const SECONDS_MIN = 10;
const SECONDS_MAX = 600;

/**
 * Parses how long an event stream may last on Lambda: whole seconds, or `off`. Returns 0 when it is
 * off or nothing is set. Throws an Error with one line that says what to set.
 */
export function readStreamSecondsMax(text: string | undefined): number {
  if (!text || text === "off") return 0;
  const seconds = Number(text);
  if (WHOLE.test(text) && seconds >= SECONDS_MIN && seconds <= SECONDS_MAX) return seconds;
  throw new Error(
    `Set EVENTLEDGER_STREAM_SECONDS_MAX to whole seconds from ${SECONDS_MIN} to ${SECONDS_MAX}, or to off: it is "${text.slice(0, 40)}".`,
  );
}

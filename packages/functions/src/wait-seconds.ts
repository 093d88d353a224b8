import { LIMITS } from "@eventledger/protocol";

const WHOLE = /^\d{1,2}$/;

/**
 * Parses the operator's cap on `waitSeconds`: whole seconds, or `off`. Returns the fallback when
 * nothing is set. Throws an Error with one line that says what to set.
 */
export function readWaitSecondsMax(text: string | undefined, fallback: number): number {
  if (!text) return fallback;
  if (text === "off") return 0;
  if (WHOLE.test(text) && Number(text) <= LIMITS.waitSecondsMax) return Number(text);
  throw new Error(
    `Set EVENTLEDGER_WAIT_SECONDS_MAX to whole seconds from 0 to ${LIMITS.waitSecondsMax}, or to off: it is "${text.slice(0, 40)}".`,
  );
}

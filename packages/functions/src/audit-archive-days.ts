import { LIMITS } from "@eventledger/protocol";

/**
 * Reads EVENTLEDGER_AUDIT_ARCHIVE_DAYS. Undefined when it is not set. Throws an Error with one line
 * for the operator.
 */
export function readAuditArchiveDays(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= LIMITS.archiveDaysMax) return days;
  throw new Error(
    `Set EVENTLEDGER_AUDIT_ARCHIVE_DAYS to whole days from 1 to ${LIMITS.archiveDaysMax}: it is "${text.slice(0, 40)}".`,
  );
}

import { randomUUID } from "node:crypto";

/** Matches a request id that is safe in a log. Any other id of a client is replaced. */
const WELL_FORMED = /^[A-Za-z0-9._-]{8,64}$/;

export const requestIdOf = (header: string | undefined): string =>
  header !== undefined && WELL_FORMED.test(header) ? header : randomUUID();

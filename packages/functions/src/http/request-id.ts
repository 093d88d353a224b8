import { randomUUID } from "node:crypto";

/** A client's request id is taken over only when it is harmless in a log. */
const WELL_FORMED = /^[A-Za-z0-9._-]{8,64}$/;

export const requestIdOf = (header: string | undefined): string =>
  header !== undefined && WELL_FORMED.test(header) ? header : randomUUID();

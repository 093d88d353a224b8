import { LedgerError } from "../kernel/error.ts";
import type { Objects } from "./objects.ts";

const refuse = async (): Promise<never> => {
  throw new LedgerError("archive-unavailable", {
    detail: "The stream has an archive, but this server is set up without its bucket.",
    retryAfterSeconds: 30,
  });
};

/** Replaces the bucket where there is none. */
export const noObjects: Objects = {
  create: refuse,
  head: refuse,
  read: refuse,
  list: refuse,
  remove: refuse,
  signedUrl: refuse,
};

import { ListQuery, ReadableParams, VerifyArchiveQuery } from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { valid } from "../validate.ts";

/** The archive of a stream: fill it now, list its segments and verify them. */
export const archiveRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .post(
      "/streams/:stream/archive",
      operation({
        id: "archiveStream",
        tag: "archive",
        summary: "Archive everything that is durable now",
        description:
          "Archiving also runs by itself, about once an hour while there are new events. Call again while `done` is false.",
        answers: {
          200: {
            description: "What this call archived, and whether more remains.",
            body: "ArchiveReceipt",
          },
        },
        problems: ["stream-not-found", "not-archived", "numbering-at-risk", "outcome-unknown"],
      }),
      valid("param", ReadableParams),
      async (c) => {
        const { stream } = c.req.valid("param");
        return c.json(await ledger.archive(c.var.caller.tenant, stream));
      },
    )
    .get(
      "/streams/:stream/archive",
      operation({
        id: "listArchive",
        tag: "archive",
        summary: "List the segments of the archive",
        description:
          "A segment is an object in the bucket: gzip of one event a line, exactly as a poll prints them.",
        answers: { 200: { description: "A page of segments.", body: "ArchiveSegmentList" } },
        problems: ["stream-not-found", "invalid-cursor"],
      }),
      valid("param", ReadableParams),
      valid("query", ListQuery),
      async (c) => {
        const { stream } = c.req.valid("param");
        return c.json(await ledger.listSegments(c.var.caller.tenant, stream, c.req.valid("query")));
      },
    )
    .post(
      "/streams/:stream/archive/verify",
      operation({
        id: "verifyArchive",
        tag: "archive",
        summary: "Compare the archive with its records",
        description:
          "Reads every segment whole. The answer names the first one that is missing, changed or out of chain. Call again with its `cursor` until that is null.",
        answers: { 200: { description: "The result.", body: "ArchiveVerification" } },
        problems: ["stream-not-found", "invalid-cursor"],
      }),
      valid("param", ReadableParams),
      valid("query", VerifyArchiveQuery),
      async (c) => {
        const { stream } = c.req.valid("param");
        const { cursor } = c.req.valid("query");
        return c.json(await ledger.verifyArchive(c.var.caller.tenant, stream, cursor));
      },
    );

import { invalidRequest } from "@eventledger/core";
import { CreateExport, ExportParams, ListQuery, StreamParams } from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { requireJson, valid } from "../validate.ts";

/** Events and states as objects that clients fetch from the bucket. */
export const exportRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .post(
      "/streams/:stream/exports",
      operation({
        id: "createExport",
        tag: "archive",
        summary: "Export events, or the current state of every key",
        description:
          "Writes gzip of NDJSON into the bucket, in parts. The request begins the work. A GET of the export continues it, and so does the hourly sweep.",
        answers: {
          202: {
            description: "The export and its progress. A small export is already done.",
            body: "Export",
            headers: { Location: "The export's URL." },
          },
        },
        problems: [
          "malformed-json",
          "stream-not-found",
          "invalid-cursor",
          "retention-passed",
          "too-many-exports",
          "outcome-unknown",
        ],
      }),
      valid("param", StreamParams),
      requireJson,
      valid("json", CreateExport),
      async (c) => {
        const { stream } = c.req.valid("param");
        const body = c.req.valid("json");
        for (const name of ["from", "to"] as const) {
          if (body.view === "state" && body[name] !== undefined) {
            throw invalidRequest(`/${name}`, "must not be sent with the view `state`");
          }
        }
        const target = `/streams/${stream}/exports`;
        const made = await c.var.act(
          { target, request: body, made: ({ id }) => `${target}/${id}` },
          () => ledger.createExport(c.var.caller.tenant, stream, body),
        );
        c.header("Location", `/streams/${stream}/exports/${made.id}`);
        return c.json(made, 202);
      },
    )
    .get(
      "/streams/:stream/exports",
      operation({
        id: "listExports",
        tag: "archive",
        summary: "List the exports of a stream",
        description: "Lists them without their parts.",
        answers: { 200: { description: "The exports.", body: "ExportList" } },
        problems: ["stream-not-found"],
      }),
      valid("param", StreamParams),
      async (c) => {
        const { stream } = c.req.valid("param");
        return c.json(await ledger.listExports(c.var.caller.tenant, stream));
      },
    )
    .get(
      "/streams/:stream/exports/:export",
      operation({
        id: "getExport",
        tag: "archive",
        summary: "Get an export and the URLs of its parts",
        description: "If the export is not done, the request continues it for some seconds.",
        answers: { 200: { description: "The export and a page of its parts.", body: "Export" } },
        problems: ["stream-not-found", "export-not-found", "invalid-cursor", "outcome-unknown"],
      }),
      valid("param", ExportParams),
      valid("query", ListQuery),
      async (c) => {
        const { stream, export: id } = c.req.valid("param");
        const page = c.req.valid("query");
        return c.json(await ledger.getExport(c.var.caller.tenant, stream, id, page));
      },
    )
    .delete(
      "/streams/:stream/exports/:export",
      operation({
        id: "deleteExport",
        tag: "archive",
        summary: "Delete an export",
        description:
          "The export is gone at once, and its objects with the next sweep, at most an hour later. Deleting it again answers 204 as well.",
        answers: { 204: { description: "The export is deleted, or does not exist." } },
        problems: ["stream-not-found", "outcome-unknown"],
      }),
      valid("param", ExportParams),
      async (c) => {
        const { stream, export: id } = c.req.valid("param");
        await c.var.act({ target: `/streams/${stream}/exports/${id}` }, () =>
          ledger.deleteExport(c.var.caller.tenant, stream, id),
        );
        return c.body(null, 204);
      },
    );

import {
  CreateStream,
  PatchStream,
  ReadableParams,
  StatsListQuery,
  StreamParams,
} from "@eventledger/protocol";
import { Hono } from "hono";
import { assertMayCreate } from "../auth.ts";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { requireJson, valid } from "../validate.ts";

/** Routes for streams: create, list, describe, change and delete. */
export const streamRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>()
    .post(
      "/streams",
      operation({
        id: "createStream",
        tag: "streams",
        summary: "Create a stream",
        description: "Sending the same body again answers 200 with the same stream.",
        answers: {
          201: {
            description: "The stream was created.",
            body: "Stream",
            headers: { Location: "The stream's URL." },
          },
          200: { description: "A stream with the same settings exists already.", body: "Stream" },
        },
        problems: [
          "malformed-json",
          "request-too-large",
          "stream-exists",
          "unsupported-media-type",
          "outcome-unknown",
        ],
      }),
      requireJson,
      valid("json", CreateStream),
      async (c) => {
        const body = c.req.valid("json");
        assertMayCreate(c.var.caller, body.name);
        const { stream, created } = await c.var.act(
          { target: `/streams/${body.name}`, request: body },
          () => ledger.createStream(c.var.caller.tenant, body),
        );
        if (created) c.header("Location", `/streams/${stream.name}`);
        return c.json(stream, created ? 201 : 200);
      },
    )
    .get(
      "/streams",
      operation({
        id: "listStreams",
        tag: "streams",
        summary: "List streams by name",
        description:
          "Lists the streams that the API key covers. With `include=stats` each stream has its statistics. They cost a few reads for each partition, so a page may then contain fewer streams than `limit`.",
        answers: { 200: { description: "A page of streams.", body: "StreamList" } },
        problems: ["invalid-cursor"],
      }),
      valid("query", StatsListQuery),
      async (c) => {
        const { tenant, streams } = c.var.caller;
        const { include, ...page } = c.req.valid("query");
        const stats = include === "stats";
        return c.json(await ledger.listStreams(tenant, { ...page, stats }, streams));
      },
    )
    .get(
      "/streams/:stream",
      operation({
        id: "getStream",
        tag: "streams",
        summary: "Describe a stream and what is in it now",
        description: "Shows its settings, how much it holds, and the lag of its subscriptions.",
        answers: { 200: { description: "The stream.", body: "StreamInfo" } },
        problems: ["stream-not-found"],
      }),
      valid("param", ReadableParams),
      async (c) => {
        const { caller } = c.var;
        return c.json(await ledger.getStream(caller.tenant, c.req.valid("param").stream, caller));
      },
    )
    .patch(
      "/streams/:stream",
      operation({
        id: "patchStream",
        tag: "streams",
        summary: "Change a stream's settings",
        description:
          "A longer retention applies to events published from now on, and a shorter one to all events at once. The storage of new events is freed no earlier than that of the events before them. A change of `partitions` is answered once events are written to the new partitions.",
        answers: { 200: { description: "The stream as it is now.", body: "Stream" } },
        problems: [
          "malformed-json",
          "request-too-large",
          "stream-not-found",
          "unsupported-media-type",
          "compaction-stalled",
          "numbering-at-risk",
          "outcome-unknown",
        ],
      }),
      valid("param", StreamParams),
      requireJson,
      valid("json", PatchStream),
      async (c) => {
        const { stream } = c.req.valid("param");
        const body = c.req.valid("json");
        const patched = await c.var.act({ target: `/streams/${stream}`, request: body }, () =>
          ledger.patchStream(c.var.caller.tenant, stream, body),
        );
        return c.json(patched);
      },
    )
    .delete(
      "/streams/:stream",
      operation({
        id: "deleteStream",
        tag: "streams",
        summary: "Delete a stream",
        description:
          "The stream is deleted at once and its name is free. Its data is removed in the background. Until then, sending the request again gives the same answer, unless the name has been created again.",
        answers: { 202: { description: "The stream is being removed.", body: "StreamDeletion" } },
        problems: ["stream-not-found", "outcome-unknown"],
      }),
      valid("param", StreamParams),
      async (c) => {
        const { stream } = c.req.valid("param");
        const { lockedUntil } = await c.var.act({ target: `/streams/${stream}` }, () =>
          ledger.deleteStream(c.var.caller.tenant, stream),
        );
        const archiveKeptUntil = lockedUntil && new Date(lockedUntil).toISOString();
        return c.json({ name: stream, status: "deleting" as const, archiveKeptUntil }, 202);
      },
    );

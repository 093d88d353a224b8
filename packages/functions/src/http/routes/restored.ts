import { RestoredBody } from "@eventledger/protocol";
import { Hono } from "hono";
import type { AppEnv, RouteDeps } from "../env.ts";
import { operation } from "../operation.ts";
import { jsonOrNothing, valid } from "../validate.ts";

/** The route that is called after a restore of the table. It needs the admin key. */
export const restoredRoutes = ({ ledger }: RouteDeps) =>
  new Hono<AppEnv>().post(
    "/restored",
    operation({
      id: "completeRestore",
      tag: "system",
      summary: "Complete a restore of the table, for all streams of all tenants",
      description:
        "Moves the numbering beyond any sequence that a lost event may have had, and makes the streams available again. Readers of lost events get `invalid-cursor` with the reason `restored`. Call again while `done` is false. See docs/operations.md.",
      answers: {
        200: {
          description: "How many streams this call completed, and whether more remain.",
          body: "RestoreReceipt",
        },
      },
      problems: [
        "malformed-json",
        "request-too-large",
        "unsupported-media-type",
        "outcome-unknown",
        "numbering-at-risk",
      ],
    }),
    jsonOrNothing,
    valid("json", RestoredBody),
    async (c) => {
      const request = c.req.valid("json");
      const receipt = await c.var.act({ target: "/restored", request, repairs: true }, () =>
        ledger.completeRestore(request.name),
      );
      return c.json(receipt);
    },
  );

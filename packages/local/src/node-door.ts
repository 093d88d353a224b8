import type { IncomingMessage, ServerResponse } from "node:http";
import { invalidRequest } from "@eventledger/core";
import type { Door } from "@eventledger/functions/http/env.ts";
import { repeatedHeader } from "@eventledger/functions/http/repeated-header.ts";
import { unclearTarget } from "@eventledger/functions/http/request-target.ts";
import { takesBack } from "./node-server.ts";

/** An event stream ends after this time, so a client that has vanished holds nothing for long. */
const STREAM_LASTS_MS = 15 * 60_000;

/** The facts about a request that only a Node server has. */
export function nodeDoor(incoming: IncomingMessage, outgoing: ServerResponse): Door {
  const { rawHeaders, url = "" } = incoming;
  const unclear = repeatedHeader(rawHeaders) ?? unclearTarget(url);
  return {
    refusal: unclear && invalidRequest(unclear.pointer, unclear.detail),
    streamsForMs: STREAM_LASTS_MS,
    ...(takesBack(incoming) ? { proceed: () => outgoing.writeContinue() } : {}),
  };
}

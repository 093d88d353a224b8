import { afterAll, describe } from "vitest";
import type { OpenLedger } from "../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { browseContract } from "../contract/browse.contract.ts";
import { compressionContract } from "../contract/compression.contract.ts";
import { edgesContract } from "../contract/edges.contract.ts";
import { eventStreamsContract } from "../contract/event-streams.contract.ts";
import { formatsContract } from "../contract/formats.contract.ts";
import { holdTo } from "../contract/hold.ts";
import { keysInUrlsContract, keysInUrlsInTurns } from "../contract/keys-in-urls.contract.ts";
import { streamsContract } from "../contract/streams.contract.ts";
import { systemContract } from "../contract/system.contract.ts";
import { unknownPartsContract } from "../contract/unknown-parts.contract.ts";
import {
  apiGatewayEvent,
  apiGatewayKeepingPercent,
  type EventRequest,
  functionUrlEvent,
} from "../infra/http-event.ts";
import { DEPTH } from "../support/depth.ts";
import { ADMIN_KEY, openHandler, openOnFake, openStreamedHandler } from "./doors.ts";
import { startGateway, startStreamingGateway } from "./gateway.ts";

/** The entry points that read a path in ways of their own. */
const READERS = [0, 1, 2, 3];
const keysOf = (reader: number) => keysInUrlsInTurns(reader, READERS);

/**
 * The suites of the contract about the entry point itself, with events as AWS creates them. The
 * suites about the ledger run through one entry point, over the real store (`contract`), and
 * through the others in `npm run test:deep`.
 */
const SUITES = [
  compressionContract,
  edgesContract,
  formatsContract,
  keysOf(1),
  systemContract,
  unknownPartsContract,
];

/**
 * The suites whose answers have many forms: statuses, headers, compression, bytes, no body. Both
 * kinds of answers come after the same reading of a request, so the suites about bodies and paths
 * run here in `npm run test:deep`.
 */
const STREAMED = [
  browseContract,
  compressionContract,
  edgesContract,
  eventStreamsContract,
  streamsContract,
  systemContract,
  ...(DEPTH > 1 ? [formatsContract, keysInUrlsContract] : []),
];

/**
 * Opens the entry points, each with the suites that it must pass. The others of the Node server run
 * over the real store (`contract`).
 */
const DOORS = [
  [
    "a Node server",
    (opened: OpenLedger) => startServer(opened, { host: "127.0.0.1", port: 0 }),
    [keysOf(0)],
  ],
  ["an HTTP API", openBuffered(apiGatewayEvent), SUITES],
  ["an HTTP API that keeps %25", openBuffered(apiGatewayKeepingPercent), [keysOf(2)]],
  [
    "a Function URL that sends whole answers",
    openBuffered(functionUrlEvent),
    [keysOf(3), ...(DEPTH > 1 ? [systemContract] : [])],
  ],
  [
    "a Function URL that streams",
    (opened: OpenLedger) => startStreamingGateway(openStreamedHandler(opened)),
    STREAMED,
  ],
] as const;

for (const [name, open, suites] of DOORS) {
  const opened = openOnFake();
  const gateway = await open(opened);
  describe.concurrent(`through ${name}`, () => {
    afterAll(async () => {
      opened.close();
      await gateway.stop();
    });
    holdTo({ baseUrl: gateway.url, apiKey: ADMIN_KEY }, suites);
  });
}

function openBuffered(eventOf: (request: EventRequest) => object) {
  return (opened: OpenLedger) => startGateway(openHandler(opened), eventOf);
}

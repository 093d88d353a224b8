import { afterAll, describe } from "vitest";
import type { OpenLedger } from "../../packages/functions/src/open-ledger.ts";
import { browseContract } from "../contract/browse.contract.ts";
import { compactedContract } from "../contract/compacted.contract.ts";
import { compressionContract } from "../contract/compression.contract.ts";
import { edgesContract } from "../contract/edges.contract.ts";
import { eventStreamsContract } from "../contract/event-streams.contract.ts";
import { formatsContract } from "../contract/formats.contract.ts";
import { holdTo } from "../contract/hold.ts";
import { idempotencyContract } from "../contract/idempotency.contract.ts";
import { keysInUrlsContract } from "../contract/keys-in-urls.contract.ts";
import { parkingContract } from "../contract/parking.contract.ts";
import { partitionsContract } from "../contract/partitions.contract.ts";
import { publishContract } from "../contract/publish.contract.ts";
import { streamsContract } from "../contract/streams.contract.ts";
import { subscriptionsContract } from "../contract/subscriptions.contract.ts";
import { systemContract } from "../contract/system.contract.ts";
import { unknownPartsContract } from "../contract/unknown-parts.contract.ts";
import {
  apiGatewayEvent,
  apiGatewayKeepingPercent,
  type EventRequest,
  functionUrlEvent,
} from "../infra/http-event.ts";
import { ADMIN_KEY, openHandler, openOnFake, openStreamedHandler } from "./doors.ts";
import { startGateway, startStreamingGateway } from "./gateway.ts";

/** The suites of the contract that every entry point must pass, with events as AWS creates them. */
const SUITES = [
  browseContract,
  compactedContract,
  compressionContract,
  edgesContract,
  formatsContract,
  idempotencyContract,
  keysInUrlsContract,
  parkingContract,
  partitionsContract,
  publishContract,
  streamsContract,
  subscriptionsContract,
  systemContract,
  unknownPartsContract,
];

/** The suites whose answers have many forms: statuses, headers, compression, bytes, no body. */
const STREAMED = [
  browseContract,
  compressionContract,
  edgesContract,
  eventStreamsContract,
  formatsContract,
  keysInUrlsContract,
  streamsContract,
  systemContract,
];

/** Opens the entry points of AWS, each with the suites that it must pass. */
const DOORS = [
  ["an HTTP API", openBuffered(apiGatewayEvent), SUITES],
  ["an HTTP API that keeps %25", openBuffered(apiGatewayKeepingPercent), [keysInUrlsContract]],
  [
    "a Function URL that sends whole answers",
    openBuffered(functionUrlEvent),
    [keysInUrlsContract, systemContract],
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

import { afterAll, describe } from "vitest";
import { browseContract } from "../contract/browse.contract.ts";
import { compactedContract } from "../contract/compacted.contract.ts";
import { compressionContract } from "../contract/compression.contract.ts";
import { edgesContract } from "../contract/edges.contract.ts";
import { formatsContract } from "../contract/formats.contract.ts";
import { holdTo } from "../contract/hold.ts";
import { idempotencyContract } from "../contract/idempotency.contract.ts";
import { keysInUrlsContract } from "../contract/keys-in-urls.contract.ts";
import { parkingContract } from "../contract/parking.contract.ts";
import { publishContract } from "../contract/publish.contract.ts";
import { streamsContract } from "../contract/streams.contract.ts";
import { subscriptionsContract } from "../contract/subscriptions.contract.ts";
import { systemContract } from "../contract/system.contract.ts";
import { unknownPartsContract } from "../contract/unknown-parts.contract.ts";
import {
  apiGatewayEvent,
  apiGatewayKeepingPercent,
  functionUrlEvent,
} from "../infra/http-event.ts";
import { ADMIN_KEY, openHandler, openOnFake } from "./doors.ts";
import { startGateway } from "./gateway.ts";

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
  publishContract,
  streamsContract,
  subscriptionsContract,
  systemContract,
  unknownPartsContract,
];

const DOORS = [
  ["an HTTP API", apiGatewayEvent, SUITES],
  // This entry point changes paths, so some answers are more precise there.
  [
    "a Function URL",
    functionUrlEvent,
    [edgesContract, formatsContract, keysInUrlsContract, systemContract],
  ],
  ["an HTTP API that keeps %25", apiGatewayKeepingPercent, [keysInUrlsContract]],
] as const;

for (const [name, eventOf, suites] of DOORS) {
  const opened = openOnFake();
  const gateway = await startGateway(openHandler(opened), eventOf);
  describe.concurrent(`through ${name}`, () => {
    afterAll(async () => {
      opened.close();
      await gateway.stop();
    });
    holdTo({ baseUrl: gateway.url, apiKey: ADMIN_KEY }, suites);
  });
}

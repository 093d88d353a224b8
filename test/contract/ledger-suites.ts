import { browseContract } from "./browse.contract.ts";
import { compactedContract } from "./compacted.contract.ts";
import { idempotencyContract } from "./idempotency.contract.ts";
import { parkingContract } from "./parking.contract.ts";
import { partitionsContract } from "./partitions.contract.ts";
import { publishContract } from "./publish.contract.ts";
import { streamsContract } from "./streams.contract.ts";
import { subscriptionsContract } from "./subscriptions.contract.ts";

/**
 * The suites of the contract about the ledger. `npm test` runs each through one entry point, and
 * `npm run test:deep` through the others as well.
 */
export const LEDGER_SUITES = [
  browseContract,
  compactedContract,
  idempotencyContract,
  parkingContract,
  partitionsContract,
  publishContract,
  streamsContract,
  subscriptionsContract,
];

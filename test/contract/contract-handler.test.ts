import { browseContract } from "./browse.contract.ts";
import { compactedContract } from "./compacted.contract.ts";
import { holdHandler } from "./hold.ts";
import { idempotencyContract } from "./idempotency.contract.ts";
import { publishContract } from "./publish.contract.ts";
import { streamsContract } from "./streams.contract.ts";

await holdHandler([
  browseContract,
  compactedContract,
  idempotencyContract,
  publishContract,
  streamsContract,
]);

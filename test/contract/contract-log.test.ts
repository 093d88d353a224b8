import { cursorPlacesContract } from "./cursor-places.contract.ts";
import { deletionsContract } from "./deletions.contract.ts";
import { expectedContract } from "./expected.contract.ts";
import { formatsContract } from "./formats.contract.ts";
import { holdTarget } from "./hold.ts";
import { idempotencyContract } from "./idempotency.contract.ts";
import { livesContract } from "./lives.contract.ts";
import { partitionsContract } from "./partitions.contract.ts";
import { placesContract } from "./places.contract.ts";
import { publishContract } from "./publish.contract.ts";
import { streamsContract } from "./streams.contract.ts";

await holdTarget([
  streamsContract,
  partitionsContract,
  publishContract,
  formatsContract,
  idempotencyContract,
  expectedContract,
  placesContract,
  cursorPlacesContract,
  deletionsContract,
  livesContract,
]);

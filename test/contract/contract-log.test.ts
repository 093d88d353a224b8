import { cursorPlacesContract } from "./cursor-places.contract.ts";
import { deletionsContract } from "./deletions.contract.ts";
import { expectedContract } from "./expected.contract.ts";
import { formatsContract } from "./formats.contract.ts";
import { holdTarget } from "./hold.ts";
import { livesContract } from "./lives.contract.ts";
import { partitionsContract } from "./partitions.contract.ts";
import { placesContract } from "./places.contract.ts";

await holdTarget([
  partitionsContract,
  formatsContract,
  expectedContract,
  placesContract,
  cursorPlacesContract,
  deletionsContract,
  livesContract,
]);

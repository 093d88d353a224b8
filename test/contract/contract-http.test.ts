import { badInputContract } from "./bad-input.contract.ts";
import { compressionContract } from "./compression.contract.ts";
import { edgesContract } from "./edges.contract.ts";
import { eventStreamsContract } from "./event-streams.contract.ts";
import { holdTarget } from "./hold.ts";
import { systemContract } from "./system.contract.ts";
import { textsContract } from "./texts.contract.ts";
import { unknownPartsContract } from "./unknown-parts.contract.ts";

await holdTarget([
  badInputContract,
  textsContract,
  edgesContract,
  systemContract,
  compressionContract,
  eventStreamsContract,
  unknownPartsContract,
]);

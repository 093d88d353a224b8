import { badInputContract } from "./bad-input.contract.ts";
import { compressionContract } from "./compression.contract.ts";
import { edgesContract } from "./edges.contract.ts";
import { holdTo } from "./hold.ts";
import { limitsContract } from "./limits.contract.ts";
import { systemContract } from "./system.contract.ts";
import { textsContract } from "./texts.contract.ts";

await holdTo([
  limitsContract,
  badInputContract,
  textsContract,
  edgesContract,
  systemContract,
  compressionContract,
]);

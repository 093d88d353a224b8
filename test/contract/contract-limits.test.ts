import { holdTarget } from "./hold.ts";
import { limitsContract } from "./limits.contract.ts";

// Large requests keep the processor busy for long, and would keep other suites waiting.
await holdTarget([limitsContract]);

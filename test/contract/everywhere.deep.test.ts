import { holdTarget } from "./hold.ts";
import { LEDGER_SUITES } from "./ledger-suites.ts";

await holdTarget(LEDGER_SUITES);

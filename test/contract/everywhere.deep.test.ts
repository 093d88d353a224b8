import { holdTarget } from "./hold.ts";
import { keysInUrlsContract } from "./keys-in-urls.contract.ts";
import { LEDGER_SUITES } from "./ledger-suites.ts";

await holdTarget([...LEDGER_SUITES, keysInUrlsContract]);

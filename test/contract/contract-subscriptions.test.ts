import { filterContract } from "./filter.contract.ts";
import { holdTarget } from "./hold.ts";
import { longPollContract } from "./long-poll.contract.ts";
import { settingsContract } from "./settings.contract.ts";
import { workersContract } from "./workers.contract.ts";

await holdTarget([settingsContract, filterContract, longPollContract, workersContract]);

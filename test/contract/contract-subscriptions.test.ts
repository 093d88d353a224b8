import { filterContract } from "./filter.contract.ts";
import { holdTarget } from "./hold.ts";
import { longPollContract } from "./long-poll.contract.ts";
import { parkingContract } from "./parking.contract.ts";
import { settingsContract } from "./settings.contract.ts";
import { subscriptionsContract } from "./subscriptions.contract.ts";
import { workersContract } from "./workers.contract.ts";

await holdTarget([
  subscriptionsContract,
  settingsContract,
  filterContract,
  longPollContract,
  workersContract,
  parkingContract,
]);

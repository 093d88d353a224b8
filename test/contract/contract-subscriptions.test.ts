import { filterContract } from "./filter.contract.ts";
import { holdTo } from "./hold.ts";
import { longPollContract } from "./long-poll.contract.ts";
import { parkingContract } from "./parking.contract.ts";
import { settingsContract } from "./settings.contract.ts";
import { subscriptionsContract } from "./subscriptions.contract.ts";
import { workersContract } from "./workers.contract.ts";

await holdTo([
  subscriptionsContract,
  settingsContract,
  filterContract,
  longPollContract,
  workersContract,
  parkingContract,
]);

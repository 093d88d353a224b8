import { holdHandler } from "./hold.ts";
import { parkingContract } from "./parking.contract.ts";
import { subscriptionsContract } from "./subscriptions.contract.ts";

await holdHandler([parkingContract, subscriptionsContract]);

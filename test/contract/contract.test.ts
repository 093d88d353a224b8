import { afterAll } from "vitest";
import { badInputContract } from "./bad-input.contract.ts";
import { browseContract } from "./browse.contract.ts";
import { filterContract } from "./filter.contract.ts";
import { formatsContract } from "./formats.contract.ts";
import { idempotencyContract } from "./idempotency.contract.ts";
import { limitsContract } from "./limits.contract.ts";
import { longPollContract } from "./long-poll.contract.ts";
import { publishContract } from "./publish.contract.ts";
import { streamsContract } from "./streams.contract.ts";
import { subscriptionsContract } from "./subscriptions.contract.ts";
import { openTarget } from "./target.ts";
import { workersContract } from "./workers.contract.ts";

const { close, ...target } = await openTarget();
afterAll(close);

streamsContract(target);
publishContract(target);
browseContract(target);
limitsContract(target);
formatsContract(target);
idempotencyContract(target);
subscriptionsContract(target);
longPollContract(target);
filterContract(target);
workersContract(target);
badInputContract(target);

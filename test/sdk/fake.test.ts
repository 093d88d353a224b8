import { beforeEach } from "vitest";
import { idempotencyContract } from "../contract/idempotency.contract.ts";
import { livesContract } from "../contract/lives.contract.ts";
import { longPollContract } from "../contract/long-poll.contract.ts";
import { parkingContract } from "../contract/parking.contract.ts";
import { publishContract } from "../contract/publish.contract.ts";
import { subscriptionsContract } from "../contract/subscriptions.contract.ts";
import { openFake } from "./fake-server.ts";

/**
 * The parts of the contract that the SDK's fake does not model. It has one log without partitions,
 * accepts only native JSON, checks neither forms nor limits, and supports only simple retries of
 * parked keys. Every other test of these suites passes as it does against the server.
 */
const NOT_MODELLED = [
  // Formats, limits and lists.
  ...["a request with one bad event", "other formats are replays", "a quoted and a bare key"],
  ...["[publish.limits] is refused", "answers 201 with Location", "[list.page]"],
  ...["[error.problem]", "[http.method]", "[park.limits]", "header of CloudEvents pages"],
  // The next poll of the fake is always due at once.
  "[poll.pace]",
  // Cursors of other subscriptions, lists and browsing.
  ...["[cursor.bound]", "[cursor.reason]", "404 at once everywhere", "[bootstrap.after]"],
  ...["continues from its own cursor when other workers", "[life.named]"],
  // The queue of a retry: pages of a part of it, and the answers to commits about it.
  ...["waits with its later events while everything else", "is read page by page"],
  ...["invalidates pages that were read", "[sub.commit-void]", "stops where it fails again"],
  ...["counts what was read before it", "[park.skip]", "[park.max-deliveries]"],
];
beforeEach(({ task, skip }) => {
  if (NOT_MODELLED.some((part) => task.name.includes(part))) skip();
});

const target = await openFake();
publishContract(target);
idempotencyContract(target);
subscriptionsContract(target);
longPollContract(target);
parkingContract(target);
livesContract(target);

import type { LiveStream } from "../../stream/live-streams.ts";
import { carryParked } from "../parking/carry.ts";
import { createLogDeliveries } from "./log-deliveries.ts";
import type { DeliveryDeps, Whose } from "./page-reader.ts";
import { createQueueDeliveries } from "./queue-deliveries.ts";

/** Delivers the events after the committed offset, and the queues of keys that are retried. */
export function createDeliveries(deps: DeliveryDeps) {
  /** See `carryParked`. */
  const carry = (stream: LiveStream, { state }: Whose): Promise<boolean> =>
    carryParked(deps, stream, state);

  return { ...createQueueDeliveries(deps), ...createLogDeliveries(deps), carry };
}

export type Deliveries = ReturnType<typeof createDeliveries>;

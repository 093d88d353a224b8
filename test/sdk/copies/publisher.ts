import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { EventLedger, type Receipt } from "../../../packages/sdk/src/index.ts";
import { send, type Task } from "./messages.ts";
import { BATCH, planned, STREAM } from "./plan.ts";

/**
 * Publishes the plan in batches, each with its own Idempotency-Key. A file records the batches that
 * were acknowledged. After a kill it publishes the next one again, with the same key.
 */
const { url, apiKey, plan, place }: Task = JSON.parse(process.argv[2] ?? "");
const stream = new EventLedger({ url, apiKey, retry: { attempts: 100, maxMs: 500 } }).stream(
  STREAM,
);
const acknowledged = existsSync(place) ? readFileSync(place).length : 0;

const publish = (batch: number): Promise<Receipt> => {
  const events = Array.from({ length: BATCH }, (_, index) => planned(plan, batch * BATCH + index));
  return stream.publish(events, { idempotencyKey: `${plan.seed}-${batch}` });
};
for (let batch = acknowledged; batch * BATCH < plan.events; batch++) {
  await publish(batch);
  appendFileSync(place, ".");
  send({ kind: "progress", events: (batch + 1) * BATCH });
}
// If this batch was published before, the answer is the stored receipt.
send({ kind: "done", receipt: await publish(plan.events / BATCH - 1) });
process.disconnect();

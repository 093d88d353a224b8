import { randomUUID } from "node:crypto";
import { startStack } from "../../packages/local/src/stack.ts";

/**
 * Runs a stack in this process and sends the parent its address and its memory in use. Ends when
 * the parent asks.
 */
const { url, adminKey, stop } = await startStack({
  endpoint: process.argv[2],
  tableName: `apart-${randomUUID()}`,
});
process.send?.({ baseUrl: url, apiKey: adminKey });
const end = async () => {
  await stop();
  process.exit(0);
};
/** Reports the memory that is in use after a garbage collection. */
const tellMemory = () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.((heapUsed + external) / 2 ** 20);
};
process.on("message", (wish) => (wish === "stop" ? end() : tellMemory()));
process.once("disconnect", end);

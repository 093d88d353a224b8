import { randomUUID } from "node:crypto";
import { startStack } from "../stack/stack.ts";

/** Runs a stack in this process and tells its parent where; ends when told to. */
const { url, adminKey, stop } = await startStack({
  endpoint: process.argv[2],
  tableName: `apart-${randomUUID()}`,
});
process.send?.({ baseUrl: url, apiKey: adminKey });
const collect = setInterval(() => globalThis.gc?.(), 1_000);
const end = async () => {
  clearInterval(collect);
  await stop();
  process.exit(0);
};
process.once("message", end);
process.once("disconnect", end);

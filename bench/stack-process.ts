/**
 * The whole local stack in a process of its own, as `npm start` runs it. It ends with its parent.
 *
 * node stack-process.ts [folder of the data]
 */
import { startStack } from "../packages/local/src/stack.ts";

const [dataFolder] = process.argv.slice(2);
const stack = await startStack({ dataFolder, onNotice: (line) => console.error(line) });
process.send?.({ url: stack.url, apiKey: stack.adminKey });
process.once("disconnect", async () => {
  await stack.stop();
  process.exit();
});

import { join } from "node:path";
import { afterAll, beforeAll, it, type TestContext } from "vitest";
import type { Stack } from "../../packages/local/src/stack.ts";
import { run } from "./run.ts";
import { startClientStack, tells } from "./story.ts";
import { documented, npmPackages, OPENAPI, skip } from "./tools.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startClientStack();
});
afterAll(() => stack?.stop());

const INSTALLING = { timeout: 300_000 };

/**
 * Returns where the packages are and how to run one of them. Skips the test when they are
 * unavailable.
 */
async function tools(context: TestContext) {
  const packages = await npmPackages("typescript");
  if ("missing" in packages) return skip(context, `npm packages ${packages.missing}`);
  const { folder } = packages;
  const tool = (name: string, ...args: string[]) =>
    run({ command: join(folder, "node_modules/.bin", name), args, cwd: folder, env: QUIET });
  return { folder, tool };
}

const QUIET = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };

it(
  "[openapi.clients] redocly finds the document valid and without a warning",
  INSTALLING,
  async (context) => {
    const { tool } = await tools(context);
    const { stdout } = await tool("redocly", "lint", OPENAPI, "--format", "json");
    const { totals } = JSON.parse(stdout.slice(stdout.indexOf("{")));
    context.expect(totals).toMatchObject({ errors: 0, warnings: 0 });
  },
);

it("[openapi.clients] openapi-typescript generates a client that compiles and works", async (context) => {
  const { folder, tool } = await tools(context);
  await tool("openapi-typescript", ...(await documented("npx openapi-typescript")));
  await tool("tsc", "--project", "tsconfig.json");
  await tells(stack, { command: process.execPath, args: ["story.ts"], cwd: folder }, "ts");
});

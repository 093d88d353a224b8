import { join } from "node:path";
import { it, type TestContext } from "vitest";
import { run } from "./run.ts";
import { documented, npmPackages, OPENAPI, skip } from "./tools.ts";

/** These tests run further generators and linters from the npm registry. */

async function tools(context: TestContext) {
  const packages = await npmPackages("more");
  if ("missing" in packages) return skip(context, `npm packages ${packages.missing}`);
  const { folder } = packages;
  return (name: string, ...args: string[]) =>
    run({ command: join(folder, "node_modules/.bin", name), args, cwd: folder });
}

it("[openapi.clients] spectral finds the document valid and without a warning", async (context) => {
  const tool = await tools(context);
  await tool("spectral", "lint", OPENAPI, "--ruleset", "spectral.yaml", "--fail-severity", "hint");
});

it("[openapi.clients] @hey-api/openapi-ts generates a client that compiles", async (context) => {
  const tool = await tools(context);
  await tool("openapi-ts", ...(await documented("npx openapi-ts")), "--silent");
  const options = ["--noEmit", "--strict", "--target", "es2023", "--module", "esnext"];
  const more = ["--moduleResolution", "bundler", "--lib", "es2023,dom,dom.iterable"];
  await tool("tsc", ...options, ...more, "generated/hey-api/index.ts");
});

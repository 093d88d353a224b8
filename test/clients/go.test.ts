import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, it } from "vitest";
import type { Stack } from "../../packages/local/src/stack.ts";
import { isThere, run } from "./run.ts";
import { startClientStack, tells } from "./story.ts";
import { documented, folderOf, skip } from "./tools.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startClientStack();
});
afterAll(() => stack?.stop());

it("[openapi.clients] oapi-codegen generates a client that compiles and works", async (context) => {
  if (!(await isThere("go", "version"))) return skip(context, "Go is not installed");
  const cwd = folderOf("go");
  const modules = { command: "go", args: ["mod", "download"], cwd };
  const isHere = await run(modules).then(
    () => true,
    () => false,
  );
  if (!isHere) return skip(context, "the Go modules could not be downloaded");
  const go = (...args: string[]) => run({ command: "go", args, cwd });
  await mkdir(join(cwd, "generated/ledger"), { recursive: true });
  await go("tool", "oapi-codegen", ...(await documented("go tool oapi-codegen")));
  await go("vet", "./...");
  await go("build", "-o", "generated/story", ".");
  await tells(stack, { command: join(cwd, "generated/story"), args: [] }, "go");
});

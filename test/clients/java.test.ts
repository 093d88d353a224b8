import { afterAll, beforeAll, it } from "vitest";
import type { Stack } from "../../packages/local/src/stack.ts";
import { isThere, run } from "./run.ts";
import { startClientStack, tells } from "./story.ts";
import { folderOf, skip } from "./tools.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startClientStack();
});
afterAll(() => stack?.stop());

it("[openapi.clients] openapi-generator generates a Java client that compiles and works", async (context) => {
  if (!(await isThere("mvn", "--version"))) return skip(context, "Maven is not installed");
  const cwd = folderOf("java");
  const maven = (...args: string[]) =>
    run({ command: "mvn", args: ["--batch-mode", "--quiet", ...args], cwd });
  const isHere = await maven("dependency:resolve-plugins", "dependency:resolve").then(
    () => true,
    () => false,
  );
  if (!isHere) return skip(context, "the packages of Maven Central could not be downloaded");
  await maven("compile", "dependency:build-classpath", "-Dmdep.outputFile=target/classpath");
  const { stdout } = await run({ command: "cat", args: ["target/classpath"], cwd });
  const args = ["-cp", `target/classes:${stdout.trim()}`, "story.Story"];
  await tells(stack, { command: "java", args, cwd }, "java");
});

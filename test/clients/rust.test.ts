import { join } from "node:path";
import { it } from "vitest";
import { isThere, run } from "./run.ts";
import { documented, folderOf, skip } from "./tools.ts";

it("[openapi.clients] openapi-generator generates a Rust client that compiles", async (context) => {
  for (const tool of ["mvn", "cargo"]) {
    if (!(await isThere(tool, "--version"))) return skip(context, `${tool} is not installed`);
  }
  // The command only needs a project around it, whatever the project contains.
  const project = folderOf("java");
  const made = join(project, "target/rust");
  const args = (await documented("mvn")).map((arg) => arg.replace("generated/rust", made));
  await run({ command: "mvn", args: ["--batch-mode", "--quiet", ...args], cwd: project });
  const isHere = await run({ command: "cargo", args: ["fetch"], cwd: made }).then(
    () => true,
    () => false,
  );
  if (!isHere) return skip(context, "the crates could not be downloaded");
  await run({ command: "cargo", args: ["check", "--quiet"], cwd: made });
});

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Stack } from "../../packages/local/src/stack.ts";
import { run } from "./run.ts";
import { startClientStack, tells } from "./story.ts";
import { documented, pythonPackages, skip } from "./tools.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startClientStack();
});
afterAll(() => stack?.stop());

const INSTALLING = { timeout: 300_000 };

it(
  "[openapi.clients] openapi-python-client generates a client that works",
  INSTALLING,
  async (context) => {
    const packages = await pythonPackages("python");
    if ("missing" in packages) return skip(context, `Python: ${packages.missing}`);
    const { folder } = packages;
    const bin = join(folder, ".venv/bin");
    await rm(join(folder, "generated"), { recursive: true, force: true });
    const { stdout, stderr } = await run({
      command: join(bin, "openapi-python-client"),
      args: await documented("openapi-python-client"),
      cwd: folder,
      env: { PATH: `${bin}:${process.env.PATH}` },
    });
    // The generator supports neither bodies that are not JSON nor a list as one of several bodies.
    const left = [...`${stdout}${stderr}`.matchAll(/WARNING parsing (.*)/g)].map(([, of]) => of);
    expect(new Set(left)).toEqual(new Set(["POST /streams/{stream}/events within events."]));
    const env = { PYTHONPATH: "generated", PYTHONDONTWRITEBYTECODE: "1" };
    await tells(
      stack,
      { command: join(bin, "python"), args: ["story.py"], cwd: folder, env },
      "py",
    );
  },
);

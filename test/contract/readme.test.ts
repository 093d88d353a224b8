import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Stack, startStack } from "../stack/stack.ts";

/** The commands of the README, pasted into a shell as a reader would. */

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "event ledger-"));
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    endpoint: inject("dynamoEndpoint"),
    tableName: `readme-${process.pid}`,
    dataFolder: join(folder, ".eventledger"),
  });
});

afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const blocksOf = (page: string) =>
  [...readFileSync(page, "utf8").matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const blocks = blocksOf("README.md");

describe("README", () => {
  it("has curl lines that work as pasted", async () => {
    const walk = blocks.find((block) => block.includes("curl")) ?? "";
    const more = blocksOf("docs/concepts.md").join("\n");
    const script = `${walk}\n${more}`.replace("http://127.0.0.1:4000", stack.url);
    const { stdout } = await run("bash", ["-euc", script], { cwd: folder });
    const answers = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const [stream, one, two, subscription, page, commit, rest, compacted, , state, ...parking] =
      answers;
    expect(stream.name).toBe("orders");
    expect(one.events).toMatchObject([{ sequence: 1 }]);
    expect(two.events).toMatchObject([{ sequence: 2 }, { sequence: 3 }]);
    expect(subscription.name).toBe("shipping");
    expect(page.events.map((event: { key: string }) => event.key)).toEqual(["order-1", "order-1"]);
    expect(commit.stale).toBe(false);
    expect(rest.events).toMatchObject([{ sequence: 3, key: "order-2", data: { total: 7 } }]);
    expect(rest.caughtUp).toBe(true);
    expect(compacted.done).toBe(true);
    expect(state).toMatchObject({ phase: "bootstrap", snapshotEnd: true, consistent: true });
    expect(state.events.map((event: { sequence: number }) => event.sequence).sort()).toEqual([
      2, 3,
    ]);
    expect(parking).toMatchObject([
      { key: "order-1", sequence: 2, status: "parked" },
      { parked: [{ key: "order-1", reason: "no such customer" }] },
      { key: "order-1", status: "retrying" },
      { events: [{ sequence: 2 }] },
    ]);
  });

  it("names only scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
    const named = blocks.flatMap((block) => [...block.matchAll(/npm (?:run )?(\w+)/g)]);
    for (const [, script] of named)
      if (script !== "ci") expect(scripts).toHaveProperty(script ?? "");
  });
});

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Stack, startStack } from "../../packages/local/src/stack.ts";

let stack: Stack;

beforeAll(async () => {
  const tableName = `demo-${Date.now()}`;
  stack = await startStack({ endpoint: inject("dynamoEndpoint"), tableName });
});

afterAll(() => stack.stop());

test("the demo follows all 329 real webhooks across a kill, and again in a second run", async () => {
  for (const run of [1, 2]) {
    const result = await runDemo();
    expect(result, `run ${run}`).toMatchObject({
      url: stack.url,
      published: 329,
      received: 329,
      missing: 0,
      inOrder: true,
      equal: true,
      ok: true,
    });
    expect(result.beforeKill).toBeGreaterThanOrEqual(165);
    expect(result.beforeKill).toBeLessThan(329);
    expect(result.beforeKill + result.afterKill - result.again).toBe(329);
  }
});

/** Runs the program like a user, and parses the one line that it prints. */
async function runDemo() {
  const program = fileURLToPath(new URL("../../examples/webhooks/demo.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, "--json"], {
    env: { ...process.env, EVENTLEDGER_URL: stack.url, EVENTLEDGER_API_KEY: stack.adminKey },
  });
  return JSON.parse(stdout);
}

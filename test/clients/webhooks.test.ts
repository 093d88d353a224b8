import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NewPush } from "../../packages/protocol/src/described/index.ts";
import { openPushTarget } from "../contract/push-target.ts";
import { run } from "./run.ts";
import { pythonPackages, skip } from "./tools.ts";

let target: Awaited<ReturnType<typeof openPushTarget>>;
beforeAll(async () => {
  target = await openPushTarget(() => 0);
});
afterAll(() => target?.close());

it("[push.signed] the Python library of Standard Webhooks verifies deliveries", {
  timeout: 300_000,
}, async (context) => {
  const packages = await pythonPackages("python-webhooks");
  if ("missing" in packages) return skip(context, `Python: ${packages.missing}`);
  const { api, received, url } = target;
  const stream = await api.newStream();
  await api.createSubscription(stream, { name: "hook", start: "earliest" });
  const made = await api.send({
    method: "PUT",
    path: `/streams/${stream}/subscriptions/hook/push`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ url }),
  });
  const { secret } = NewPush.parse(made.body);
  await api.publish(stream, [
    { key: "a", data: "é ☃ \u0000" },
    { key: "b", data: 9_007_199_254_740_991 },
  ]);
  await target.run();
  const lines = received.map(({ text, headers }) => JSON.stringify({ secret, text, headers }));
  const file = join(packages.folder, ".venv", "deliveries.ndjson");
  await writeFile(file, `${lines.join("\n")}\n`);
  const { stdout } = await run({
    command: "sh",
    args: ["-c", '"$0" verify.py < "$1"', join(packages.folder, ".venv/bin/python"), file],
    cwd: packages.folder,
  });
  expect(stdout.trim().split("\n").toSorted()).toEqual(["a", "b"]);
});

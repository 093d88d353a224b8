import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, inject, it } from "vitest";
import { readConfig } from "../../packages/functions/src/open-ledger.ts";
import { readSettings } from "../../packages/local/src/settings.ts";
import { startStack } from "../../packages/local/src/stack.ts";
import { StackError } from "../../packages/local/src/stack-error.ts";
import { beforeIdle } from "./before-idle.ts";
import { createClient } from "./client.ts";

/** These tests check the waiting that an operator allows, and how clients learn of it. */

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(waitSecondsMax?: number) {
  const stack = await startStack({
    endpoint: inject("dynamoEndpoint"),
    tableName: `waiting-${randomUUID()}`,
    ...(waitSecondsMax === undefined ? {} : { waitSecondsMax }),
  });
  closers.push(stack.stop);
  const api = createClient({ baseUrl: stack.url, apiKey: stack.adminKey });
  const stream = await api.newStream();
  await api.createSubscription(stream, { name: "s", leaseSeconds: 10 });
  return { api, stream };
}

async function timed<T>(run: Promise<T>): Promise<{ ms: number; value: T }> {
  const began = performance.now();
  const value = await run;
  return { ms: performance.now() - began, value };
}

describe("waiting", () => {
  it("[poll.wait-advised] a page advises the longest wait that the operator allows", async () => {
    const { api, stream } = await serve();
    expect((await api.poll(stream, "s")).body).toMatchObject({ waitSecondsAdvised: 20 });
    expect((await api.browse(stream, {})).body).toMatchObject({ waitSecondsAdvised: 20 });
    const worker = await api.poll(stream, "s", { consumer: "w" });
    expect(worker.body).toMatchObject({ waitSecondsAdvised: 5 });
  });

  it("[poll.wait-advised] a longer wait is reduced to the cap, and the page says so", async () => {
    const { api, stream } = await serve(1);
    const { api: other } = await serve();
    const polling = timed(api.poll(stream, "s", { waitSeconds: 20 }));
    const { ms, value } = await beforeIdle(other, 10, polling);
    expect(ms).toBeGreaterThanOrEqual(990);
    expect(value.body).toMatchObject({ events: [], waitSecondsAdvised: 1, nextPollMs: 0 });
  });

  it("[poll.wait-advised] with waiting off, a poll is answered at once and says when to ask again", async () => {
    const { api, stream } = await serve(0);
    const { api: other } = await serve();
    const { body } = await beforeIdle(other, 5, api.poll(stream, "s", { waitSeconds: 20 }));
    expect(body).toMatchObject({ events: [], waitSecondsAdvised: 0, nextPollMs: 1_000 });
    const posted = await api.commitAndPoll(stream, "s", { waitSeconds: 20, consumer: "w" });
    expect(posted.body).toMatchObject({ waitSecondsAdvised: 0 });
  });
});

describe("the setting EVENTLEDGER_WAIT_SECONDS_MAX", () => {
  const onLambda = (value?: string) =>
    readConfig({
      TABLE_NAME: "t",
      EVENTLEDGER_ADMIN_KEY: "an-admin-key-for-a-server",
      EVENTLEDGER_CURSOR_KEYS: "a-cursor-key-for-a-server",
      EVENTLEDGER_WAIT_SECONDS_MAX: value,
    }).waitSecondsMax;
  const here = (value?: string) =>
    readSettings({ EVENTLEDGER_WAIT_SECONDS_MAX: value }).waitSecondsMax;

  it("[poll.wait-advised] waiting is off on Lambda and on here by default", () => {
    expect(onLambda()).toBe(0);
    expect(onLambda("")).toBe(0);
    expect(here()).toBe(20);
  });

  it.each([
    ["off", 0],
    ["0", 0],
    ["7", 7],
    ["20", 20],
  ])("[poll.wait-advised] the setting accepts %j", (text, seconds) => {
    expect(onLambda(text)).toBe(seconds);
    expect(here(text)).toBe(seconds);
  });

  it.each(["21", "-1", "1.5", "on", "20s", " 5"])(
    "[poll.wait-advised] the setting refuses %j",
    (text) => {
      expect(() => onLambda(text)).toThrow(/^Set EVENTLEDGER_WAIT_SECONDS_MAX to /);
      expect(() => here(text)).toThrow(StackError);
    },
  );
});

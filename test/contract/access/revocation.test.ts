import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS, NewApiKey } from "@eventledger/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { rootCaller } from "../../../packages/core/src/access/permission.ts";
import { type Clock, systemClock } from "../../../packages/core/src/kernel/clock.ts";
import { systemRandom } from "../../../packages/core/src/kernel/random.ts";
import { createLedger } from "../../../packages/core/src/ledger.ts";
import { openLedger } from "../../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../../packages/local/src/http-server.ts";
import { createMovedClock } from "../../support/moved-clock.ts";
import { createTestTable } from "../../support/test-table.ts";
import { createClient } from "../client.ts";
import { send } from "../wire.ts";

/** Opens two processes over one table. */
async function openTwo() {
  const { clock, pass } = createMovedClock();
  const { client, tableName } = await createTestTable();
  let reads = 0;
  const counted = { ...client, send: client.send.bind(client) };
  const open = () =>
    createLedger({
      client: Object.assign(Object.create(client), {
        send: (...sent: Parameters<typeof client.send>) => {
          reads++;
          return counted.send(...sent);
        },
      }),
      tableName,
      clock,
      random: systemRandom,
      cursorKeys: [{ id: 1, secret: Buffer.from("x") }],
    }).access;
  return {
    here: open(),
    there: open(),
    pass,
    requests: () => reads,
  };
}

const CONFIG = { name: "k", scopes: ["publish" as const], streams: ["orders"] };

describe("an API key", () => {
  it(`[key.revoked] a revoked key is refused here at once, elsewhere within ${LIMITS.revocationSecondsMax} s`, async () => {
    const { here, there, pass } = await openTwo();
    const { id, apiKey } = await here.createKey(rootCaller, CONFIG);
    expect(await here.identify(apiKey)).toBeDefined();
    expect(await there.identify(apiKey)).toBeDefined();
    await here.revokeKey(rootCaller, id);
    expect(await here.identify(apiKey)).toBeUndefined();
    pass((LIMITS.revocationSecondsMax - 5) * 1_000);
    expect(await there.identify(apiKey)).toBeUndefined();
  });

  it("[key.revoked] a cached key costs no read of the table", async () => {
    const { here, requests } = await openTwo();
    const { apiKey } = await here.createKey(rootCaller, CONFIG);
    await (await here.identify(apiKey))?.noted;
    const before = requests();
    for (let i = 0; i < 100; i++) await (await here.identify(apiKey))?.noted;
    await here.identify("elk_test_nonsense");
    expect(requests()).toBe(before);
  });

  it("[key.rotated] a rotated key has both secrets for the overlap, and only the new one after it", async () => {
    const { here, there, pass } = await openTwo();
    const { id, apiKey } = await here.createKey(rootCaller, CONFIG);
    const rotated = await there.rotateKey(rootCaller, id, { overlapSeconds: 3_600 });
    pass(LIMITS.revocationSecondsMax * 1_000);
    for (const access of [here, there]) {
      expect(await access.identify(apiKey)).toBeDefined();
      expect(await access.identify(rotated.apiKey)).toBeDefined();
    }
    pass(3_600 * 1_000);
    for (const access of [here, there]) {
      expect(await access.identify(apiKey)).toBeUndefined();
      expect(await access.identify(rotated.apiKey)).toBeDefined();
    }
  });

  it("[key.rotated] rotating without overlap ends the former secrets at once", async () => {
    const { here } = await openTwo();
    const { id, apiKey } = await here.createKey(rootCaller, CONFIG);
    const second = await here.rotateKey(rootCaller, id, { overlapSeconds: 3_600 });
    const third = await here.rotateKey(rootCaller, id, { overlapSeconds: 0 });
    expect(await here.identify(apiKey)).toBeUndefined();
    expect(await here.identify(second.apiKey)).toBeUndefined();
    expect(await here.identify(third.apiKey)).toBeDefined();
  });

  it("[key.rotated] the answers of concurrent rotations all stay usable", async () => {
    const { here, there, pass } = await openTwo();
    const { id } = await here.createKey(rootCaller, CONFIG);
    const rotated = await Promise.all(
      [here, there, here].map((access) => access.rotateKey(rootCaller, id, { overlapSeconds: 60 })),
    );
    pass(LIMITS.revocationSecondsMax * 1_000);
    for (const { apiKey } of rotated) expect(await here.identify(apiKey)).toBeDefined();
  });

  it("[key.expiry] a key expires by itself", async () => {
    const { here, pass } = await openTwo();
    const { apiKey } = await here.createKey(rootCaller, CONFIG);
    pass((LIMITS.keyDaysDefault * 86_400 - 60) * 1_000);
    expect(await here.identify(apiKey)).toBeDefined();
    pass(60 * 1_000);
    expect(await here.identify(apiKey)).toBeUndefined();
  });

  it("[key.used] a key's use is recorded once an hour", async () => {
    const { here, there, pass, requests } = await openTwo();
    const { apiKey } = await here.createKey(rootCaller, CONFIG);
    const use = async (access: typeof here) => (await access.identify(apiKey))?.noted;
    const lastUsedAt = async () =>
      (await here.listKeys(rootCaller, { limit: 10 })).keys[0]?.lastUsedAt ?? null;
    expect(await lastUsedAt()).toBeNull();
    await use(here);
    const first = await lastUsedAt();
    expect(first).not.toBeNull();
    pass(3_000 * 1_000);
    await use(here);
    await use(there);
    expect(await lastUsedAt()).toBe(first);
    pass(700 * 1_000);
    await use(there);
    expect(await lastUsedAt()).not.toBe(first);
    const before = requests();
    await use(there);
    expect(requests()).toBe(before);
  });

  it("[key.used] a key also works when its use cannot be recorded", async () => {
    const { here } = await openTwo();
    const { id, apiKey } = await here.createKey(rootCaller, CONFIG);
    const identity = await here.identify(apiKey);
    await here.revokeKey(rootCaller, id);
    await expect(identity?.noted).resolves.toBeUndefined();
    expect((await here.listKeys(rootCaller, { limit: 10 })).keys).toEqual([]);
  });
});

describe("a poll that waits", () => {
  const ADMIN_KEY = "the-admin-key-of-two-servers";
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function serve(endpoint: string, tableName: string, clock: Clock) {
    const keys = { adminKey: ADMIN_KEY, cursorKey: "a-cursor-key-of-two-servers" };
    const opened = openLedger({ endpoint, tableName, region: "us-east-1", clock, ...keys });
    const server = await startServer(opened, { host: "127.0.0.1", port: 0 });
    closers.push(opened.close, server.stop);
    return (apiKey: string) => createClient({ baseUrl: server.url, apiKey });
  }

  /**
   * Starts a poll that waits at one server, and returns functions that change its key at another
   * server.
   */
  async function startWaiting(expiresAt?: string) {
    const { endpoint, tableName } = await createTestTable();
    const moved = createMovedClock();
    const here = (await serve(endpoint, tableName, systemClock))(ADMIN_KEY);
    const stream = await here.newStream();
    await here.createSubscription(stream, { name: "s" });
    const config = { name: "k", scopes: ["consume"], streams: [stream], expiresAt };
    const { body } = await send(here.target, {
      method: "POST",
      path: "/keys",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(config),
    });
    const { id, apiKey } = NewApiKey.parse(body);
    // Only the wall clock is moved, so the poll continues to wait.
    const clock = { ...systemClock, now: moved.clock.now };
    const there = (await serve(endpoint, tableName, clock))(apiKey);
    const gzip = { "accept-encoding": "gzip" };
    const path = `/streams/${stream}/subscriptions/s/poll?waitSeconds=20`;
    const polls = Promise.all([
      there.send({ path }),
      there.send({ path, headers: gzip }),
      there.send({
        method: "POST",
        path: `/streams/${stream}/subscriptions/s/poll`,
        headers: { "content-type": "application/json" },
        body: '{"waitSeconds":20}',
      }),
    ]);
    await sleep(1_100);
    const publish = () => here.publish(stream, { key: "k", data: "secret ".repeat(1_000) });
    const revoke = () => send(here.target, { method: "DELETE", path: `/keys/${id}` });
    return { polls, publish, revoke, pass: moved.pass };
  }

  it("[key.revoked] a waiting poll delivers nothing once its key is revoked", async () => {
    const { polls, publish, revoke, pass } = await startWaiting();
    await revoke();
    // The key's row stays cached for 20 s, which is less than both the limit of 30 s and the wait
    // of the poll.
    pass(20 * 1_000);
    await publish();
    for (const { text, body } of await polls) {
      expect(body).toMatchObject({ status: 401, code: "unauthorized" });
      expect(text).not.toContain("secret");
    }
  });

  it("[key.expiry] a waiting poll delivers nothing once its key has expired", async () => {
    const { polls, publish, pass } = await startWaiting(
      new Date(Date.now() + 15_000).toISOString(),
    );
    pass(15 * 1_000);
    await publish();
    for (const { body } of await polls) expect(body).toMatchObject({ status: 401 });
  });

  it("[key.revoked] a waiting poll delivers to a key that is still valid", async () => {
    const { polls, publish, pass } = await startWaiting();
    pass(20 * 1_000);
    await publish();
    for (const { text, status } of await polls) {
      expect(status).toBe(200);
      expect(text).toContain("secret");
    }
  });
});

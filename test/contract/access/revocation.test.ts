import { LIMITS } from "@eventledger/protocol";
import { describe, expect, it } from "vitest";
import { rootCaller } from "../../../packages/core/src/access/permission.ts";
import { type Clock, systemClock } from "../../../packages/core/src/kernel/clock.ts";
import { systemRandom } from "../../../packages/core/src/kernel/random.ts";
import { createLedger } from "../../../packages/core/src/ledger.ts";

import { createTestTable } from "../../stack/test-table.ts";

/** Two processes over one table, and a clock that is moved by hand. */
async function openTwo() {
  let aheadMs = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now() + aheadMs,
    monotonic: () => systemClock.monotonic() + aheadMs,
  };
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
    pass: (seconds: number) => {
      aheadMs += seconds * 1_000;
    },
    requests: () => reads,
  };
}

const CONFIG = { name: "k", scopes: ["publish" as const], streams: ["orders"] };

describe("an API key", () => {
  it(`[key.revoked] is refused here at once, elsewhere within ${LIMITS.revocationSecondsMax} s`, async () => {
    const { here, there, pass } = await openTwo();
    const { id, apiKey } = await here.createKey(rootCaller, CONFIG);
    expect(await here.identify(apiKey)).toBeDefined();
    expect(await there.identify(apiKey)).toBeDefined();
    await here.revokeKey(rootCaller, id);
    expect(await here.identify(apiKey)).toBeUndefined();
    pass(LIMITS.revocationSecondsMax - 5);
    expect(await there.identify(apiKey)).toBeUndefined();
  });

  it("[key.revoked] costs no look into the table while it is remembered", async () => {
    const { here, requests } = await openTwo();
    const { apiKey } = await here.createKey(rootCaller, CONFIG);
    await (await here.identify(apiKey))?.noted;
    const before = requests();
    for (let i = 0; i < 100; i++) await (await here.identify(apiKey))?.noted;
    await here.identify("elk_test_nonsense");
    expect(requests()).toBe(before);
  });

  it("[key.rotated] has both secrets for the overlap and only the new one after", async () => {
    const { here, there, pass } = await openTwo();
    const { id, apiKey } = await here.createKey(rootCaller, CONFIG);
    const rotated = await there.rotateKey(rootCaller, id, { overlapSeconds: 3_600 });
    pass(LIMITS.revocationSecondsMax);
    for (const access of [here, there]) {
      expect(await access.identify(apiKey)).toBeDefined();
      expect(await access.identify(rotated.apiKey)).toBeDefined();
    }
    pass(3_600);
    for (const access of [here, there]) {
      expect(await access.identify(apiKey)).toBeUndefined();
      expect(await access.identify(rotated.apiKey)).toBeDefined();
    }
  });

  it("[key.rotated] ends its former secrets at once when rotated without overlap", async () => {
    const { here } = await openTwo();
    const { id, apiKey } = await here.createKey(rootCaller, CONFIG);
    const second = await here.rotateKey(rootCaller, id, { overlapSeconds: 3_600 });
    const third = await here.rotateKey(rootCaller, id, { overlapSeconds: 0 });
    expect(await here.identify(apiKey)).toBeUndefined();
    expect(await here.identify(second.apiKey)).toBeUndefined();
    expect(await here.identify(third.apiKey)).toBeDefined();
  });

  it("[key.rotated] keeps all answers of simultaneous rotations usable", async () => {
    const { here, there, pass } = await openTwo();
    const { id } = await here.createKey(rootCaller, CONFIG);
    const rotated = await Promise.all(
      [here, there, here].map((access) => access.rotateKey(rootCaller, id, { overlapSeconds: 60 })),
    );
    pass(LIMITS.revocationSecondsMax);
    for (const { apiKey } of rotated) expect(await here.identify(apiKey)).toBeDefined();
  });

  it("[key.expiry] ends by itself", async () => {
    const { here, pass } = await openTwo();
    const { apiKey } = await here.createKey(rootCaller, CONFIG);
    pass(LIMITS.keyDaysDefault * 86_400 - 60);
    expect(await here.identify(apiKey)).toBeDefined();
    pass(60);
    expect(await here.identify(apiKey)).toBeUndefined();
  });

  it("[key.used] notes its use, once an hour", async () => {
    const { here, there, pass, requests } = await openTwo();
    const { apiKey } = await here.createKey(rootCaller, CONFIG);
    const use = async (access: typeof here) => (await access.identify(apiKey))?.noted;
    const lastUsedAt = async () =>
      (await here.listKeys(rootCaller, { limit: 10 })).keys[0]?.lastUsedAt ?? null;
    expect(await lastUsedAt()).toBeNull();
    await use(here);
    const first = await lastUsedAt();
    expect(first).not.toBeNull();
    pass(3_000);
    await use(here);
    await use(there);
    expect(await lastUsedAt()).toBe(first);
    pass(700);
    await use(there);
    expect(await lastUsedAt()).not.toBe(first);
    const before = requests();
    await use(there);
    expect(requests()).toBe(before);
  });

  it("[key.used] works as well when its use cannot be noted", async () => {
    const { here } = await openTwo();
    const { id, apiKey } = await here.createKey(rootCaller, CONFIG);
    const identity = await here.identify(apiKey);
    await here.revokeKey(rootCaller, id);
    await expect(identity?.noted).resolves.toBeUndefined();
    expect((await here.listKeys(rootCaller, { limit: 10 })).keys).toEqual([]);
  });
});

import { expect, it } from "vitest";
import { createLedger, LedgerError, rootCaller } from "../../../packages/core/src/index.ts";
import { createFakeDynamo } from "../dynamodb/fake-dynamodb.ts";
import { seededRandom } from "../dynamodb/seeded-random.ts";

const clock = { now: () => 1_000, monotonic: () => 0, sleep: async () => {} };
const keyNamed = (name: string) => ({ name, scopes: ["read" as const], streams: ["*"] });

/** Opens a ledger. `race` runs before a transaction arrives, as the work of another process. */
function openLedger(keyKind?: "live" | "test") {
  const race = { run: async () => {} };
  const gate = async (label: string) => {
    if (!/^send .*transactwrite/i.test(label)) return;
    const { run } = race;
    race.run = async () => {};
    await run();
  };
  const store = createFakeDynamo({ tableName: "keys", seed: 1, gate });
  const client = store.client() as never;
  const random = seededRandom(1);
  const cursorKeys = [{ id: 1, secret: Buffer.from("model") }];
  const kind = keyKind === undefined ? {} : { keyKind };
  const ledger = createLedger({ client, tableName: "keys", clock, random, cursorKeys, ...kind });
  return { access: ledger.access, race };
}

it("[key.cascade] a key that is revoked while it makes another one makes none", async () => {
  const { access, race } = openLedger();
  const maker = await access.createKey(rootCaller, keyNamed("maker"));
  const identity = await access.identify(maker.apiKey);
  if (identity === undefined) throw new Error("The key must be known.");
  race.run = () => access.revokeKey(rootCaller, maker.id);
  const made = access.createKey(identity.caller, keyNamed("child"));
  const code = await made.catch((error: unknown) => error instanceof LedgerError && error.code);
  expect(code).toBe("unauthorized");
  expect((await access.listKeys(rootCaller, { limit: 10 })).keys).toEqual([]);
});

it("[key.form] keys name the kind of their installation, test by default", async () => {
  for (const [kind, prefix] of [
    [undefined, "elk_test_"],
    ["live", "elk_live_"],
  ] as const) {
    const { access } = openLedger(kind);
    const { apiKey } = await access.createKey(rootCaller, keyNamed("k"));
    expect(apiKey.startsWith(prefix)).toBe(true);
    expect(await access.identify(apiKey)).toBeDefined();
  }
});

import { describe, expect, it } from "vitest";
import {
  createLedger,
  defaultTenant,
  type LedgerDeps,
  type RawJson,
} from "../../packages/core/src/index.ts";
import { systemRandom } from "../../packages/core/src/kernel/random.ts";
import { createFakeDynamo, type FakeClient } from "../simulation/dynamodb/fake-dynamodb.ts";
import { isRead } from "../simulation/dynamodb/operation.ts";
import { createHurriedClock } from "../support/moved-clock.ts";

const OF = [defaultTenant, "orders"] as const;
const EVENTS = [{ attributes: { key: "k" }, data: "1" as RawJson }];

/** Creates a ledger on a working store. `fail` sets the error that replaces each answer. */
async function createWorld() {
  const fake = createFakeDynamo({ tableName: "fake", nowMs: Date.now });
  const real = fake.client();
  let fail: (command: string) => Error | undefined = () => undefined;
  const send: FakeClient["send"] = async (command) => {
    const error = fail(command.constructor.name);
    if (error !== undefined) throw error;
    return real.send(command);
  };
  const ledger = createLedger({
    client: { send } as unknown as LedgerDeps["client"],
    tableName: "fake",
    clock: createHurriedClock(),
    random: systemRandom,
    cursorKeys: [{ id: 1, secret: Buffer.from("store errors") }],
  });
  await ledger.createStream(defaultTenant, {
    name: "orders",
    description: "",
    partitions: 1,
    compaction: "key",
    retentionHours: 1,
    archiveDays: null,
  });
  await ledger.createSubscription(...OF, { name: "s", start: "earliest" });
  const failWith = (to: typeof fail) => {
    fail = to;
  };
  const count = async () => {
    fail = () => undefined;
    const page = await ledger.browse(...OF, { from: "earliest", limit: 10 } as never);
    return page.events.length;
  };
  return { fake, ledger, failWith, count };
}

const named = (name: string): Error => Object.assign(new Error(name), { name });

describe.each([
  "AccessDeniedException",
  "CredentialsProviderError",
  "ExpiredTokenException",
  "ResourceNotFoundException",
  "UnrecognizedClientException",
])("a store that refuses with %s", (name) => {
  it("[publish.unavailable] the refusal is reported as a wrong set-up, and nothing is written", async () => {
    const { ledger, failWith, count } = await createWorld();
    const wrong = { code: "store-misconfigured" };
    failWith(() => named(name));
    await expect(ledger.checkTable()).rejects.toMatchObject(wrong);
    await expect(ledger.publish(...OF, EVENTS)).rejects.toMatchObject(wrong);
    await expect(ledger.publish(...OF, EVENTS, { idempotencyKey: "key" })).rejects.toMatchObject(
      wrong,
    );
    await expect(ledger.deleteSubscription(...OF, "s")).rejects.toMatchObject(wrong);
    expect(await count()).toBe(0);
  });

  it.each([
    ["PutCommand", (ledger: Ledger) => ledger.publish(...OF, EVENTS)],
    ["TransactWriteCommand", (ledger: Ledger) => ledger.deleteSubscription(...OF, "s")],
    ["UpdateCommand", (ledger: Ledger) => ledger.patchStream(...OF, { description: "new" })],
  ])("[publish.unknown] fails nothing that an earlier %s may have done", async (command, run) => {
    const { ledger, failWith } = await createWorld();
    let sent = 0;
    failWith((of) => {
      if (of !== command) return undefined;
      return sent++ === 0 ? named("InternalServerError") : named(name);
    });
    await expect(run(ledger)).rejects.toMatchObject({ code: "outcome-unknown" });
    expect(sent).toBeGreaterThan(0);
  });
});

type Ledger = Awaited<ReturnType<typeof createWorld>>["ledger"];

it("[publish.unavailable] nothing is written when the table does not answer the reads before it", async () => {
  const { fake, ledger, count } = await createWorld();
  fake.setFaults((operation) => (isRead(operation) ? { "error-before": 1 } : {}));
  const unavailable = { code: "store-unavailable" };
  await expect(ledger.publish(...OF, EVENTS)).rejects.toMatchObject(unavailable);
  fake.setFaults();
  expect(await count()).toBe(0);
  await ledger.publish(...OF, EVENTS);
  expect(await count()).toBe(1);
});

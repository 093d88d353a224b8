import type * as protocol from "@eventledger/protocol";
import { expect, it } from "vitest";
import type * as z from "zod/mini";
import {
  type ApiKey,
  type ArchiveReceipt,
  type ArchiveSegment,
  type ArchiveVerification,
  administer,
  type Caller,
  type CompactReceipt,
  type Erasure,
  type ErasureCheck,
  type Export,
  type KeyQuota,
  type KeyRotation,
  type KeySettings,
  type ListedStream,
  type ListedSubscription,
  type NewApiKey,
  type NewExport,
  type NewPush,
  type NewSchemas,
  type NewStream,
  type NewSubscription,
  type NewTenant,
  type Push,
  type PushAttempt,
  type PushDelivery,
  type PushSettings,
  type ReleaseReceipt,
  type RotatedApiKey,
  type SchemaCheck,
  type Schemas,
  type StreamAnswer,
  type StreamChange,
  type StreamDeletion,
  type StreamInfo,
  type SubscriptionAnswer,
  type SubscriptionChange,
  type SubscriptionView,
  type Tenant,
  type TenantQuota,
} from "../../packages/sdk/src/admin/index.ts";
import { LedgerProblem } from "../../packages/sdk/src/index.ts";
import { collect, openStack, within } from "./stack.ts";

const { url, adminKey, ledger, newStream } = await openStack();
const admin = administer({ url, apiKey: adminKey });

it("an administrator lists, describes, changes and deletes streams", async () => {
  const name = await newStream({ description: "first" });
  await ledger.stream(name).publish({ key: "a", data: 1 });
  expect(await admin.streams.get(name)).toMatchObject({ name, eventCount: 1 });
  const listed = await collect(admin.streams.list({ stats: true }));
  expect(listed.find((each) => each.name === name)).toMatchObject({ eventCount: 1 });
  expect(await admin.streams.change(name, { retentionHours: 24 })).toMatchObject({
    description: "first",
    retentionHours: 24,
  });
  expect(await admin.streams.compact(name)).toMatchObject({ done: true });
  expect(JSON.parse(await admin.streams.stateText(name, "a"))).toMatchObject({ data: 1 });
  expect(await admin.streams.delete(name)).toEqual({ name, status: "deleting" });
  await expect(admin.streams.get(name)).rejects.toSatisfy((error) =>
    LedgerProblem.is(error, "stream-not-found"),
  );
});

it("an administrator manages subscriptions and parked keys", async () => {
  const name = await newStream();
  await ledger.stream(name).publish({ key: "a", data: 1 });
  const subscriptions = admin.subscriptions(name);
  await subscriptions.create("mail", { start: "earliest", maxDeliveries: 5 });
  await ledger.stream(name).subscription("mail").park({ key: "a", sequence: 1, reason: "no" });
  expect(await subscriptions.get("mail")).toMatchObject({ parkedKeys: 1, maxDeliveries: 5 });
  expect(await collect(subscriptions.parked("mail"))).toMatchObject([{ key: "a", reason: "no" }]);
  expect(await subscriptions.skip("mail", { key: "a", sequence: 1 })).toMatchObject({ key: "a" });
  await expect(subscriptions.retry("mail", "b")).rejects.toThrow("parked-key-not-found");
  expect(await subscriptions.seek("mail", "latest")).toMatchObject({ lag: { events: 0 } });
  expect(await subscriptions.change("mail", { maxDeliveries: null })).toMatchObject({
    warnings: [],
  });
  expect(await collect(subscriptions.list({ stats: true }))).toMatchObject([{ name: "mail" }]);
  await subscriptions.delete("mail");
  expect(await collect(subscriptions.list())).toEqual([]);
});

it("an administrator changes schemas, and learns whom a change breaks", async () => {
  const name = await newStream();
  await ledger.stream(name).publish({ key: "a", data: 1 });
  const schemas = admin.schemas(name);
  const first = { schemas: { paid: { required: ["by"] } }, compatibility: "backward" } as const;
  expect(await schemas.set(first)).toEqual({ ...first, undeclared: "accepted" });
  const by = ledger
    .stream(name)
    .subscription("by", { start: "earliest", reads: { paid: ["/by"] } });
  // The subscription is made when its pages are read.
  for await (const _ of by.pages({ signal: within(50_000) })) break;
  expect(await by.info()).toMatchObject({ reads: { paid: ["/by"] } });
  const next = { schemas: { paid: true } };
  expect(await schemas.check(next)).toMatchObject({
    ...{ accepted: false, backward: true, forward: false },
    breaks: [{ subscription: "by", type: "paid", field: "/by" }],
  });
  await expect(schemas.set(next)).rejects.toThrow("incompatible-schemas");
  expect(await schemas.set(next, { force: true })).toMatchObject(next);
  expect(await schemas.get()).toMatchObject({ ...next, compatibility: "backward" });
});

it("an administrator manages keys and tenants, and lists have all pages", async () => {
  const made = await admin.keys.create({ name: "shop", scopes: ["publish"], streams: ["*"] });
  expect(made.apiKey).toMatch(/^elk_/);
  const rotated = await admin.keys.rotate(made.id, { overlapSeconds: 0 });
  expect(await administer({ url, apiKey: rotated.apiKey }).whoami()).toMatchObject({
    keyId: made.id,
    scopes: ["publish"],
  });
  await admin.quotas.setOfKey(made.id, { eventsPerSecond: 5 });
  expect(await admin.quotas.ofKey(made.id)).toEqual({ eventsPerSecond: 5 });
  for (let n = 0; n < 60; n++) {
    await admin.keys.create({ name: `n${n}`, scopes: ["read"], streams: ["*"] });
  }
  const paths: string[] = [];
  const watched = administer({ url, apiKey: adminKey, onRequest: ({ path }) => paths.push(path) });
  expect((await collect(watched.keys.list())).length).toBeGreaterThanOrEqual(61);
  expect(paths).toHaveLength(2);
  await collect(watched.keys.list({ pageItems: 500 }));
  expect(paths).toHaveLength(3);
  await admin.keys.revoke(made.id, { cascade: true });
  expect(await admin.tenants.create("acme")).toMatchObject({ name: "acme" });
  expect(await collect(admin.tenants.list())).toMatchObject([{ name: "acme" }]);
  const { quotas } = admin;
  await quotas.setOfTenant("acme", { streams: 2 });
  expect(await quotas.ofTenant("acme")).toEqual({ streams: 2 });
  await admin.health({ deep: true });
});

/** True if both types accept each other and have the same members. `readonly` does not count. */
type Same<One, Other> = [Plain<One>] extends [Plain<Other>]
  ? [Plain<Other>, keyof Other, keyof One] extends [Plain<One>, keyof One, keyof Other]
    ? true
    : false
  : false;
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Name in keyof T]: Plain<Exclude<T[Name], undefined>> }
    : T;

it("the types are those of the protocol", () => {
  const same: {
    stream: Same<StreamAnswer, protocol.Stream>;
    deletion: Same<StreamDeletion, z.infer<typeof protocol.StreamDeletion>>;
    streamInfo: Same<StreamInfo, protocol.StreamInfo>;
    listedStream: Same<ListedStream, protocol.ListedStream>;
    subscription: Same<SubscriptionAnswer, protocol.Subscription>;
    subscriptionInfo: Same<SubscriptionView, z.infer<typeof protocol.SubscriptionInfo>>;
    listedSubscription: Same<
      ListedSubscription,
      z.infer<typeof protocol.SubscriptionList>["subscriptions"][number]
    >;
    key: Same<ApiKey, protocol.ApiKey>;
    newKey: Same<NewApiKey, protocol.NewApiKey>;
    rotatedKey: Same<RotatedApiKey, protocol.RotatedApiKey>;
    tenant: Same<Tenant, z.infer<typeof protocol.TenantList>["tenants"][number]>;
    newTenant: Same<NewTenant, protocol.NewTenant>;
    compacted: Same<CompactReceipt, protocol.CompactReceipt>;
    released: Same<ReleaseReceipt, protocol.ReleaseReceipt>;
    newKeySettings: Same<KeySettings, z.input<typeof protocol.CreateApiKey>>;
    rotation: Same<KeyRotation, z.input<typeof protocol.RotateApiKey>>;
    streamChange: Same<StreamChange, protocol.PatchStream>;
    newStream: Same<NewStream, Omit<z.input<typeof protocol.CreateStream>, "name">>;
    subscriptionChange: Same<SubscriptionChange, protocol.PatchSubscription>;
    schemas: Same<Schemas, protocol.Schemas>;
    schemaCheck: Same<SchemaCheck, protocol.SchemaCheck>;
    newSchemas: Same<NewSchemas, z.input<typeof protocol.PutSchemas>>;
    keyQuota: Same<KeyQuota, protocol.KeyQuota>;
    tenantQuota: Same<TenantQuota, protocol.TenantQuota>;
    archived: Same<ArchiveReceipt, protocol.ArchiveReceipt>;
    segment: Same<ArchiveSegment, protocol.ArchiveSegment>;
    verified: Same<ArchiveVerification, protocol.ArchiveVerification>;
    erasure: Same<Erasure, protocol.Erasure>;
    erasureCheck: Same<ErasureCheck, protocol.ErasureCheck>;
    exported: Same<Export, protocol.Export>;
    newExport: Same<NewExport, z.input<typeof protocol.CreateExport>>;
    push: Same<Push, protocol.Push>;
    newPush: Same<NewPush, protocol.NewPush>;
    pushAttempt: Same<PushAttempt, protocol.PushAttempt>;
    pushDelivery: Same<PushDelivery, protocol.PushDelivery>;
    pushSettings: Same<PushSettings, z.input<typeof protocol.PutPush>>;
    caller: Same<Omit<Caller, "limits">, Omit<protocol.Whoami, "limits">>;
    newSubscription: z.input<typeof protocol.CreateSubscription> extends NewSubscription
      ? true
      : false;
  } = {
    stream: true,
    deletion: true,
    streamInfo: true,
    listedStream: true,
    subscription: true,
    subscriptionInfo: true,
    listedSubscription: true,
    key: true,
    newKey: true,
    rotatedKey: true,
    tenant: true,
    newTenant: true,
    compacted: true,
    released: true,
    newKeySettings: true,
    rotation: true,
    streamChange: true,
    newStream: true,
    subscriptionChange: true,
    schemas: true,
    schemaCheck: true,
    newSchemas: true,
    keyQuota: true,
    tenantQuota: true,
    archived: true,
    segment: true,
    erasure: true,
    erasureCheck: true,
    exported: true,
    newExport: true,
    push: true,
    newPush: true,
    pushAttempt: true,
    pushDelivery: true,
    pushSettings: true,
    verified: true,
    caller: true,
    newSubscription: true,
  };
  expect(same).toBeDefined();
});

import { setTimeout as sleep } from "node:timers/promises";
import { NewApiKey, NewTenant } from "@eventledger/protocol";
import { expect } from "vitest";
import { createClient, newName } from "../client.ts";
import { send, type Target } from "../wire.ts";
import { operations } from "./openapi-operations.ts";

/** One of everything that a request can name. */
export type Names = {
  readonly stream: string;
  readonly subscription: string;
  readonly id: string;
  /** The cursor of a publish's receipt. */
  readonly cursor: string;
  /** The cursor of a poll of the subscription. */
  readonly polled: string;
  /** A second subscription, on which one worker has a lease. */
  readonly shared: string;
  /** The cursor of that worker's poll. It carries the fencing token of the lease. */
  readonly worked: string;
  /** A cursor in the middle of the list of current states. */
  readonly snapshot: string;
};

/** The worker that holds a lease on every shared subscription. */
export const WORKER = "worker";

/**
 * Two tenants with the same kinds of things, and API keys of every kind for the things of the first
 * tenant.
 */
export type World = {
  readonly mine: Names;
  /** A second set of names in the first tenant, for requests that are allowed and leave traces. */
  readonly spare: Names;
  /** Names in the other tenant. */
  readonly theirs: Names;
  /** Names that do not exist. */
  readonly missing: Names;
  /** A key with all rights in the first tenant. */
  readonly full: string;
  /** A key with all rights in the other tenant. */
  readonly foreign: string;
  /** A key with all rights for other streams of the first tenant. */
  readonly elsewhere: string;
  readonly expired: string;
  readonly revoked: string;
  /** Returns a key with every scope except the given ones, for all streams of the first tenant. */
  readonly without: (scopes: readonly string[]) => string;
  /** Returns a key with only this scope, for all streams of the first tenant. */
  readonly only: (scope: string) => string;
};

export const SCOPES = ["read", "consume", "operate", "publish", "admin", "audit"] as const;

/** The sets of scopes of which operations need one. */
const WITHOUT = [
  ...new Map(operations.map(({ scopes }) => [scopes.join(), scopes])).values(),
  ["audit"],
].filter(([first]) => SCOPES.some((scope) => scope === first));

/** Creates the world through the API itself, with the admin key. */
export async function createWorld(root: Target): Promise<World> {
  const as = (apiKey: string): Target => ({ ...root, apiKey });
  const full = await makeTenant(root);
  const foreign = await makeTenant(root);
  const make = async (scopes: readonly string[], streams: readonly string[], expiresAt?: string) =>
    NewApiKey.parse(
      await post(as(full), "/keys", { name: "test", scopes, streams, expiresAt }, 201),
    );
  const expiresAt = Date.now() + 1_000;
  const expired = await make(SCOPES, ["*"], new Date(expiresAt).toISOString());
  const mine = await furnish(as(full));
  const spare = await furnish(as(full));
  const theirs = await furnish(as(foreign));
  // With more than one item, no list of the other tenant ends after its first item.
  await furnish(as(foreign));

  const revoked = await make(SCOPES, ["*"]);
  await send(as(full), { method: "DELETE", path: `/keys/${revoked.id}` });
  const alone = new Map<string, string>();
  for (const scope of SCOPES) alone.set(scope, (await make([scope], ["*"])).apiKey);
  const others = new Map<string, string>();
  for (const scopes of WITHOUT) {
    const held = SCOPES.filter((other) => !scopes.includes(other));
    others.set(scopes.join(), (await make(held, ["*"])).apiKey);
  }
  const elsewhere = (await make(SCOPES, ["elsewhere.*"])).apiKey;
  await sleep(Math.max(0, expiresAt - Date.now()));
  return {
    mine,
    spare,
    theirs,
    missing: { ...mine, stream: "nowhere", subscription: "no-such", id: "000000000000" },
    full,
    foreign,
    elsewhere,
    expired: expired.apiKey,
    revoked: revoked.apiKey,
    without: (scopes) => others.get(scopes.join()) ?? full,
    only: (scope) => alone.get(scope) ?? full,
  };
}

async function makeTenant(root: Target): Promise<string> {
  const name = newName();
  return NewTenant.parse(await post(root, "/tenants", { name }, 201)).adminKey.apiKey;
}

async function furnish(target: Target): Promise<Names> {
  const api = createClient(target);
  const [subscription, shared] = [newName(), newName()];
  const stream = await api.newStream();
  for (const name of [subscription, shared]) {
    await api.createSubscription(stream, { name, leaseSeconds: 600 });
  }
  const secret = { secret: `only for ${stream}` };
  const { cursor } = (
    await api.publish(stream, [
      { key: "k", data: secret },
      { key: "l", data: secret },
    ])
  ).body;
  const polled = (await api.poll(stream, subscription)).body.cursor;
  for (const sequence of [1, 2]) {
    await api.park(stream, subscription, { sequence, reason: `only for ${stream} ${sequence}` });
  }
  const worked = (await api.poll(stream, shared, { consumer: WORKER })).body.cursor;
  await api.compact(stream);
  const snapshot = (await api.listCompacted(stream, { limit: 1 })).cursor ?? "";
  const key = { name: "furniture", scopes: ["consume"], streams: [stream] };
  const { id } = NewApiKey.parse(await post(target, "/keys", key, 201));
  return { stream, subscription, id, cursor, polled, shared, worked, snapshot };
}

async function post(target: Target, path: string, json: object, status: number): Promise<unknown> {
  const answer = await send(target, {
    method: "POST",
    path,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(json),
  });
  expect(answer.status, answer.text).toBe(status);
  return answer.body;
}

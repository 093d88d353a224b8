import type { StoredEvent } from "../../../packages/core/src/model/event.ts";
import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { Page } from "../checker/history.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { STREAM } from "./plan.ts";
import { deliveredOf, refOf } from "./tap.ts";
import type { ClientWorld } from "./world.ts";

type Answer = {
  readonly events: readonly StoredEvent[];
  readonly cursor: string;
  readonly life: string;
  readonly caughtUp: boolean;
  readonly phase?: "bootstrap" | "log";
  readonly consistent?: boolean;
  readonly snapshotEnd?: boolean;
};

/** What a subscriber keeps across a crash: its view and the cursor of that view. */
export type Follower = {
  readonly base: string;
  /** The name of its subscription. The subscriber uses another one when it has to start over. */
  name: string;
  names: number;
  readonly start: "earliest" | "latest" | "bootstrap";
  exists: boolean;
  /** True while it is busy. It does one thing at a time, and other callers skip it meanwhile. */
  busy: boolean;
  cursor: string | undefined;
  kept: string | undefined;
  /** The session whose view the cursor belongs to. */
  session: string | undefined;
  /** The life that its view belongs to. */
  life: string | undefined;
  /** True if the last commit was answered, so the kept state is the committed one. */
  settled: boolean;
  /** True if it keeps its view from before a seek to what has changed since, and no cursor yet. */
  awaits: boolean;
};

export const newFollower = (name: string, start: Follower["start"]): Follower => ({
  base: name,
  name,
  names: 1,
  start,
  exists: false,
  busy: false,
  cursor: undefined,
  kept: undefined,
  life: undefined,
  session: undefined,
  settled: true,
  awaits: false,
});

/** Polls and commits some pages, unless an earlier call is still running. */
export async function follow(world: ClientWorld, follower: Follower, polls: number): Promise<void> {
  if (follower.busy) return;
  follower.busy = true;
  await followSome(world, follower, polls);
  follower.busy = false;
}

/** Polls and commits some pages. Sometimes it crashes and continues from what it kept. */
async function followSome(world: ClientWorld, follower: Follower, polls: number): Promise<void> {
  const random = world.random.fork(`${follower.name} ${world.time.nowMs()}`);
  for (let done = 0; done < polls; done++) {
    await world.sleep(random.fraction() * random.pick(world.plan.readPaceMs));
    if (!follower.exists && !(await subscribe(world, follower, random))) continue;
    if (random.chance(world.plan.crashes)) crash(world, follower, random);
    if (random.chance(world.plan.seeks)) await seek(world, follower, random);
    if (!follower.exists) continue;
    const page = await pollOnce(world, follower, random);
    if (page === undefined) continue;
    // A client that pauses over a page may commit it after a restore.
    if (world.plan.restores > 0) {
      await world.sleep(random.fraction() * random.pick(world.plan.readPaceMs));
    }
    if (random.chance(0.7)) await commitOnce(world, follower, random);
  }
}

const BUSY_MS = 500;

/** Reads on until it is caught up, for at most `polls` pages. Returns whether it succeeded. */
export async function catchUp(
  world: ClientWorld,
  follower: Follower,
  polls: number,
): Promise<boolean> {
  while (follower.busy) await world.sleep(BUSY_MS);
  const random = world.random.fork(`${follower.name} last`);
  for (let done = 0; done < polls; done++) {
    if (!follower.exists && !(await subscribe(world, follower, random))) continue;
    const page = await pollOnce(world, follower, random, 1_000);
    if (page !== undefined) await commitOnce(world, follower, random);
    if (page?.caughtUp === true) return true;
  }
  return false;
}

/**
 * The client loses its memory and continues with the view that it kept and the position of that
 * view.
 */
export function crash(world: ClientWorld, follower: Follower, random: SeededRandom): void {
  world.recorder.count("client.crash");
  if (follower.kept === undefined && !follower.awaits) {
    beginAnew(world, follower);
    return;
  }
  world.recorder.note({ op: "restore", session: follower.name });
  // The committed position can replace the kept cursor only if no commit is uncertain.
  follower.cursor = follower.settled && random.chance(0.6) ? undefined : follower.kept;
}

async function subscribe(
  world: ClientWorld,
  follower: Follower,
  random: SeededRandom,
): Promise<boolean> {
  const config = { name: follower.name, start: follower.start };
  const answer = await attempt(world, "subscribe", () =>
    world.call(world.anyApi(random), (ledger) =>
      ledger.createSubscription(defaultTenant, STREAM, config),
    ),
  );
  if (answer === undefined) return false;
  if (!answer.created) {
    // A client, perhaps this one, created the subscription before, and its committed offset is
    // unknown.
    rename(follower);
    return false;
  }
  follower.exists = true;
  await tryOldCursor(world, follower, random);
  beginAnew(world, follower);
  return true;
}

/**
 * Tries a cursor of another life or another subscription. It must be refused, or the checker
 * reports a violation.
 */
async function tryOldCursor(
  world: ClientWorld,
  follower: Follower,
  random: SeededRandom,
): Promise<void> {
  const { name, cursor } = follower;
  if (cursor === undefined || !random.chance(world.plan.oldCursors)) return;
  const after = positionsOf(world, cursor);
  world.recorder.count("client.old-cursor");
  await recordRead(
    world,
    follower.session ?? name,
    { after },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.poll(defaultTenant, STREAM, name, { limit: 100, after: cursor }),
      ),
    () => {},
  );
}

/** Seeks, and begins with an empty view. */
async function seek(world: ClientWorld, follower: Follower, random: SeededRandom): Promise<void> {
  if (follower.cursor !== undefined && random.chance(world.plan.differences)) {
    await seekChanges(world, follower, follower.cursor, random);
    return;
  }
  const to = follower.start === "bootstrap" ? "bootstrap" : random.pick(world.plan.seeksTo);
  const { name } = follower;
  // A client that crashes now does not know whether its seek succeeded, so it takes another
  // subscription.
  follower.exists = false;
  world.keep(follower);
  const answer = await attempt(world, "seek", () =>
    world.call(world.anyApi(random), (ledger) => ledger.seek(defaultTenant, STREAM, name, { to })),
  );
  if (answer === undefined) {
    rename(follower);
    return;
  }
  follower.exists = true;
  beginAnew(world, follower);
}

/** Seeks to what has changed since the client's cursor, and keeps its view. */
async function seekChanges(
  world: ClientWorld,
  follower: Follower,
  cursor: string,
  random: SeededRandom,
): Promise<void> {
  const { name } = follower;
  follower.exists = false;
  world.keep(follower);
  const answer = await attempt(world, "seek.since", () =>
    world.call(world.anyApi(random), (ledger) =>
      ledger.seek(defaultTenant, STREAM, name, { to: { since: cursor } }),
    ),
  );
  if (answer === undefined) {
    rename(follower);
    return;
  }
  follower.exists = true;
  awaitChanges(world, follower, positionsOf(world, cursor));
}

/** The client keeps its view, and asks for what has changed since it was complete. */
export function awaitChanges(
  world: ClientWorld,
  follower: Follower,
  positions: readonly number[],
): void {
  follower.cursor = undefined;
  follower.kept = undefined;
  follower.settled = true;
  follower.awaits = true;
  world.keep(follower, { op: "since", session: follower.name, positions });
}

function rename(follower: Follower): void {
  follower.names += 1;
  follower.name = `${follower.base}-${follower.names}`;
}

/** Makes a call that is not part of the history. Returns undefined when it did not succeed. */
export async function attempt<T>(world: ClientWorld, what: string, run: () => Promise<T>) {
  try {
    const answer = await run();
    world.recorder.count(`${what}.ok`);
    return answer;
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    const code = error instanceof Error && "code" in error ? String(error.code) : name;
    world.recorder.count(`${what}.${code}`);
    if (name !== "LedgerError" && name !== "NoAnswer") {
      world.fail(`internal: ${what}: ${error instanceof Error ? error.stack : error}`);
    }
    return undefined;
  }
}

function beginAnew(
  world: ClientWorld,
  follower: Follower,
  partial: { readonly isPartial?: true } = {},
): void {
  follower.cursor = undefined;
  follower.kept = undefined;
  follower.life = undefined;
  follower.settled = true;
  follower.awaits = false;
  world.keep(follower, { op: "begin", session: follower.name, ...partial });
}

async function pollOnce(
  world: ClientWorld,
  follower: Follower,
  random: SeededRandom,
  limit = random.pick(world.plan.pageLimits),
): Promise<Answer | undefined> {
  const { name, cursor } = follower;
  const query = cursor === undefined ? { limit } : { limit, after: cursor };
  const answer = await recordRead(
    world,
    name,
    cursor === undefined ? {} : { after: positionsOf(world, cursor) },
    () =>
      world.call(world.anyApi(random), (ledger) => ledger.poll(defaultTenant, STREAM, name, query)),
    (code, reason) => onRefusal(world, follower, code, reason),
  );
  if (answer === undefined) return undefined;
  follower.cursor = answer.cursor;
  follower.session = name;
  const isOther = follower.life !== undefined && follower.life !== answer.life;
  follower.life = answer.life;
  if (isOther && cursor === undefined && follower.start === "bootstrap") {
    // The table was restored, so the client's view of the stream is void.
    world.recorder.count("client.bootstraps-again");
    await seek(world, follower, random);
    return undefined;
  }
  if (answer.snapshotEnd === true) world.recorder.count("bootstrap.snapshot-end");
  if (answer.phase === "log" && answer.consistent) world.recorder.count("read.consistent");
  return answer;
}

/**
 * Handles a refusal. When the life has ended or the position is gone, the client begins again.
 * After a restore it asks for the committed position, and its view is void.
 */
function onRefusal(world: ClientWorld, follower: Follower, code: string, reason?: string): void {
  if (!ENDING.has(code)) return;
  if (reason === "restored" && follower.cursor !== undefined) {
    // The restore may have brought back a seek to what changed since a view that is void now.
    const isPartial = world.plan.differences > 0;
    beginAnew(world, follower, isPartial ? { isPartial: true } : {});
    return;
  }
  if (reason === "restored") world.fail("what is committed is refused, though the copy has it");
  follower.exists = false;
  if (code !== "subscription-not-found" && code !== "stream-not-found") rename(follower);
}

const ENDING = new Set([
  "subscription-not-found",
  "stream-not-found",
  "invalid-cursor",
  "retention-passed",
  "bootstrap-expired",
  "changes-passed",
]);

async function commitOnce(
  world: ClientWorld,
  follower: Follower,
  random: SeededRandom,
): Promise<void> {
  const { name, cursor } = follower;
  if (cursor === undefined) return;
  const { positions, subscription } = world.readCursor(cursor);
  follower.kept = cursor;
  follower.settled = false;
  world.keep(follower, { op: "save", session: name });
  const receipt = await world.recorder.record(
    name,
    {
      op: "commit",
      stream: STREAM,
      to: positions.map((at) => at?.next ?? 0),
      subscription: subscription?.uid ?? "",
      generation: subscription?.generation ?? 0,
    },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.commit(defaultTenant, STREAM, name, cursor),
      ),
    ({ stale, committed }) => ({
      op: "commit",
      stale,
      committed: positionsOf(world, committed),
    }),
    (code, _, reason) => onRefusal(world, follower, code, reason),
  );
  if (receipt === undefined) return;
  follower.settled = !receipt.stale;
  world.keep(follower);
  if (receipt.stale) world.recorder.count("commit.stale");
  // A client without a cursor asks for the events after the committed position.
  if (follower.settled && random.chance(0.5)) follower.cursor = undefined;
}

/** Reads the stream without a subscription. */
export async function browse(world: ClientWorld, name: string, polls: number): Promise<void> {
  const random = world.random.fork(`${name} ${world.time.nowMs()}`);
  const place = random.pick(["earliest", "latest"] as const);
  let session = `${name} ${world.time.nowMs()}`;
  let cursor: string | undefined;
  for (let done = 0; done < polls; done++) {
    await world.sleep(random.fraction() * 300);
    if (random.chance(world.plan.browseAnew)) {
      cursor = undefined;
      session = `${name} ${world.time.nowMs()}`;
    }
    const from = cursor ?? place;
    const limit = random.pick([1, 3, 100]);
    const answer = await recordRead(
      world,
      session,
      cursor === undefined ? { place } : { after: positionsOf(world, cursor) },
      () =>
        world.call(world.anyApi(random), (ledger) =>
          ledger.browse(defaultTenant, STREAM, { from, limit, type: undefined, key: undefined }),
        ),
      (_, reason) => {
        if (reason !== "restored") return;
        cursor = undefined;
        session = `${name} ${world.time.nowMs()} ${done}`;
      },
    );
    if (answer !== undefined) cursor = answer.cursor;
    if (answer?.caughtUp === true && random.chance(0.3)) return;
  }
}

/** Reads the current state of a key. */
export async function lookUp(world: ClientWorld, name: string, times: number): Promise<void> {
  const random = world.random.fork(`${name} get ${world.time.nowMs()}`);
  for (let done = 0; done < times; done++) {
    await world.sleep(random.fraction() * 800);
    const key = `key-${random.between(1, world.plan.keys)}`;
    await world.recorder.record(
      name,
      { op: "get", stream: STREAM, key },
      () =>
        world.call(world.anyApi(random), (ledger) =>
          ledger.getCompacted(defaultTenant, STREAM, key),
        ),
      ({ event }) => ({ op: "get", n: refOf(event).n, sequence: event.sequence }),
    );
  }
}

export const recordRead = (
  world: ClientWorld,
  session: string,
  start: { after?: readonly number[]; place?: "earliest" | "latest" },
  run: () => Promise<Answer>,
  failed: (code: string, reason?: string) => void,
): Promise<Answer | undefined> =>
  world.recorder.record(
    session,
    { op: "read", stream: STREAM, session, ...start },
    run,
    (answer) => ({ op: "read", ...pageOf(world, answer) }),
    (code, _, reason) => failed(code, reason),
  );

function pageOf(world: ClientWorld, answer: Answer): Page {
  const { life, subscription, positions } = world.readCursor(answer.cursor);
  return {
    life,
    phase: answer.phase ?? "log",
    events: answer.events.map(deliveredOf),
    to: positions.map((at) => at?.next ?? 0),
    caughtUp: answer.caughtUp,
    consistent: answer.consistent ?? true,
    ...(subscription === undefined
      ? {}
      : { subscription: subscription.uid, generation: subscription.generation }),
  };
}

export const positionsOf = (world: ClientWorld, cursor: string): number[] =>
  world.readCursor(cursor).positions.map((at) => at?.next ?? 0);

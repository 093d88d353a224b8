import { defaultTenant } from "../../../packages/core/src/model/names.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { STREAM } from "./plan.ts";
import {
  attempt,
  awaitChanges,
  type Follower,
  follow,
  newFollower,
  positionsOf,
  recordRead,
} from "./readers.ts";
import { deliveredOf } from "./tap.ts";
import type { ClientWorld } from "./world.ts";

/** A client that keeps a copy of the current states. It renews the copy by lists. */
export type Lister = {
  readonly name: string;
  lists: number;
  subscriptions: number;
  /** True while it is busy. It does one thing at a time, and other callers skip it meanwhile. */
  busy: boolean;
  /** A cursor up to which its copy is complete, and the session that reads on from there. */
  copy: Copy | undefined;
  /** The list that it has begun to read. */
  open: Reading | undefined;
};

type Copy = {
  readonly session: string;
  readonly cursor: string;
  /** False until everything has been read from the log that the list may have left out. */
  readonly isExact: boolean;
};

type Reading = {
  readonly list: string;
  /** The cursor since which it lists changes. */
  readonly since: string | undefined;
  readonly parts: Part[];
  follow: string | undefined;
  /** True if it cannot be read on. */
  isVoid: boolean;
};

/**
 * A part of a list, which one reader reads, and the cursors of its pages so far. The first page of
 * a list has none.
 */
type Part = { readonly number: number; readonly pages: (string | undefined)[]; isRead: boolean };

export const newLister = (name: string): Lister => ({
  name,
  lists: 0,
  subscriptions: 0,
  busy: false,
  copy: undefined,
  open: undefined,
});

/** Reads on, or lists all keys or what has changed, some times. */
export async function renew(world: ClientWorld, lister: Lister, times: number): Promise<void> {
  if (lister.busy) return;
  lister.busy = true;
  const random = world.random.fork(`${lister.name} ${world.time.nowMs()}`);
  for (let done = 0; done < times && !world.isOver(); done++) {
    await world.sleep(random.fraction() * random.pick(world.plan.readPaceMs));
    const what = random.fraction();
    if (lister.open !== undefined) await readList(world, lister, random);
    else if (lister.copy === undefined || what < 0.1) await list(world, lister, random, undefined);
    else if (what < 0.4) await readOn(world, lister, random);
    else if (what < 0.5) await subscribeSince(world, lister, lister.copy.cursor, random);
    else await list(world, lister, random, lister.copy.cursor);
  }
  lister.busy = false;
}

const WAIT_MS = 500;
const LISTS_MAX = 20;

/** Lists what has changed, and then everything. Returns whether both succeed. */
export async function renewAll(world: ClientWorld, lister: Lister): Promise<boolean> {
  while (lister.busy) await world.sleep(WAIT_MS);
  const random = world.random.fork(`${lister.name} last`);
  lister.open = undefined;
  for (const isWhole of [false, true]) {
    const done = lister.lists + LISTS_MAX;
    let isRead = false;
    while (!isRead && lister.lists < done) {
      const since = isWhole ? undefined : lister.copy?.cursor;
      isRead = await list(world, lister, random, since);
    }
    if (!isRead) return false;
  }
  return true;
}

/** Begins a list. Returns whether it has been read to its end. */
async function list(
  world: ClientWorld,
  lister: Lister,
  random: SeededRandom,
  since: string | undefined,
): Promise<boolean> {
  const name = `${lister.name}-list-${++lister.lists}`;
  const parts = [{ number: 0, pages: [undefined], isRead: false }];
  lister.open = { list: name, since, parts, follow: undefined, isVoid: false };
  return readList(world, lister, random);
}

/** Reads on in a list. Returns whether it has been read to its end. */
async function readList(
  world: ClientWorld,
  lister: Lister,
  random: SeededRandom,
): Promise<boolean> {
  const { open } = lister;
  if (open === undefined) return false;
  await Promise.all(open.parts.map((part) => readPart(world, open, part, random)));
  if (open.isVoid) {
    lister.open = undefined;
    if (open.since !== undefined) lister.copy = undefined;
  }
  if (open.isVoid || !open.parts.every(({ isRead }) => isRead)) return false;
  const session = `after ${open.list}`;
  lister.open = undefined;
  lister.copy = { session, cursor: open.follow ?? "", isExact: false };
  world.recorder.note({ op: "listed", list: open.list, session });
  world.recorder.count(open.since === undefined ? "list.whole" : "list.difference");
  if (open.parts.length > 1) world.recorder.count("list.in-parts");
  if (open.since === undefined && random.chance(0.3)) {
    await subscribeAfter(world, lister, open, random);
  }
  return true;
}

const PAGES_MAX = 60;

/** Reads a part page by page. Its reader may crash, and goes on from a page that it kept. */
async function readPart(
  world: ClientWorld,
  reading: Reading,
  part: Part,
  random: SeededRandom,
): Promise<void> {
  const { pages } = part;
  for (let tries = 0; tries < PAGES_MAX && !part.isRead && !reading.isVoid; tries++) {
    await world.sleep(random.fraction() * random.pick(world.plan.readPaceMs));
    if (pages.length > 1 && random.chance(world.plan.crashes)) {
      world.recorder.count("lister.crash");
      pages.splice(random.between(1, pages.length - 1));
    }
    await readPage(world, reading, part, random);
  }
}

async function readPage(
  world: ClientWorld,
  reading: Reading,
  part: Part,
  random: SeededRandom,
): Promise<void> {
  const { list: name, since } = reading;
  const { number, pages } = part;
  const cursor = pages.at(-1);
  const page = pages.length - 1;
  const known = world.readCursor;
  const from =
    since === undefined
      ? {}
      : { since: { life: known(since).life, at: positionsOf(world, since) } };
  const isDivided = since === undefined && random.chance(world.plan.divides);
  const query = {
    limit: random.pick(world.plan.pageLimits),
    ...(cursor === undefined ? {} : { cursor }),
    ...(cursor === undefined && since !== undefined ? { since } : {}),
    ...(isDivided ? { parts: random.pick(world.plan.parts) } : {}),
  };
  const answer = await world.recorder.record(
    name,
    { op: "list", stream: STREAM, list: name, part: number, page, ...from },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.listCompacted(defaultTenant, STREAM, query),
      ),
    ({ items, follow }) => ({
      op: "list",
      life: known(follow).life,
      events: items.map(deliveredOf),
      follow: positionsOf(world, follow),
    }),
    (code) => {
      reading.isVoid ||= FINAL.has(code);
    },
  );
  if (answer === undefined) return;
  reading.follow = answer.follow;
  part.isRead = answer.cursor === null;
  if (answer.cursor !== null) pages.push(answer.cursor);
  if (answer.parts !== undefined) await readParts(world, reading, answer.parts, random);
}

/** Reads the parts of what follows a page at the same time, each by a reader of its own. */
async function readParts(
  world: ClientWorld,
  reading: Reading,
  cursors: readonly string[],
  random: SeededRandom,
): Promise<void> {
  const { parts } = reading;
  const first = parts.length;
  for (const [at, cursor] of cursors.entries()) {
    parts.push({ number: first + at, pages: [cursor], isRead: false });
  }
  await Promise.all(parts.slice(first).map((part) => readPart(world, reading, part, random)));
}

/** After these errors, no later request can go on with the list. */
const FINAL = new Set([
  "stream-not-found",
  "invalid-cursor",
  "bootstrap-expired",
  "changes-passed",
]);

/** Reads a page of the log from where the copy is complete. */
async function readOn(world: ClientWorld, lister: Lister, random: SeededRandom): Promise<void> {
  if (lister.copy === undefined) return;
  const { session, cursor, isExact } = lister.copy;
  const limit = random.pick(world.plan.pageLimits);
  const answer = await recordRead(
    world,
    session,
    { after: positionsOf(world, cursor) },
    () =>
      world.call(world.anyApi(random), async (ledger) => {
        const query = { from: cursor, limit, type: undefined, key: undefined };
        const page = await ledger.browse(defaultTenant, STREAM, query);
        return { ...page, consistent: isExact || page.caughtUp };
      }),
    (code) => {
      // The log no longer has what comes after the cursor, but the list of changes does.
      if (code === "retention-passed") world.recorder.count("list.log-passed");
      else if (FINAL.has(code)) lister.copy = undefined;
    },
  );
  if (answer === undefined) return;
  lister.copy = { session, cursor: answer.cursor, isExact: answer.consistent === true };
}

/** Lets a new subscription deliver what has changed since the copy was complete. */
async function subscribeSince(
  world: ClientWorld,
  lister: Lister,
  cursor: string,
  random: SeededRandom,
): Promise<void> {
  const follower = await subscribe(world, lister, { since: cursor }, random);
  if (follower === undefined) return;
  awaitChanges(world, follower, positionsOf(world, cursor));
  await follow(world, follower, world.plan.polls);
}

/** Lets a new subscription go on after a list that has been read. */
async function subscribeAfter(
  world: ClientWorld,
  lister: Lister,
  { list: name, follow: cursor = "" }: Reading,
  random: SeededRandom,
): Promise<void> {
  const follower = await subscribe(world, lister, { cursor }, random);
  if (follower === undefined) return;
  world.recorder.note({ op: "listed", list: name, session: follower.name });
  await follow(world, follower, world.plan.polls);
}

async function subscribe(
  world: ClientWorld,
  lister: Lister,
  start: { readonly since: string } | { readonly cursor: string },
  random: SeededRandom,
): Promise<Follower | undefined> {
  const name = `${lister.name}-sub-${++lister.subscriptions}`;
  const answer = await attempt(world, "subscribe.at", () =>
    world.call(world.anyApi(random), (ledger) =>
      ledger.createSubscription(defaultTenant, STREAM, { name, start }),
    ),
  );
  return answer?.created === true ? { ...newFollower(name, "latest"), exists: true } : undefined;
}

import { LIMITS } from "@eventledger/protocol";
import type { Clock } from "../../kernel/clock.ts";
import { LedgerError } from "../../kernel/error.ts";
import type { Look } from "../../kernel/memory.ts";
import { newUid, type Random } from "../../kernel/random.ts";
import { openEpoch } from "../../model/epochs.ts";
import type { Life } from "../../model/names.ts";
import { nextCount } from "../../model/restored.ts";
import type { LiveStream } from "../../stream/live-streams.ts";
import type { MemberRow } from "../../table/member.entity.ts";
import type { OffsetRow } from "../../table/offset.entity.ts";
import type { Table } from "../../table/table.ts";
import { isInSnapshot } from "../position/progress.ts";
import type { SubscriptionState } from "../state.ts";
import type { Subscriptions } from "../subscriptions.ts";
import { planForgetting } from "./forget-gone.ts";
import { planLeases, RENEW_BELOW } from "./lease-plan.ts";
import { type Holders, leaseMsOf } from "./until-memory.ts";

type Deps = {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly subscriptions: Subscriptions;
};

/** The partitions that a worker may work on. */
export type Share = {
  readonly state: SubscriptionState;
  /**
   * By partition, the fencing token of the worker's lease. Undefined if a different worker holds
   * it.
   */
  readonly tokens: readonly (number | undefined)[];
  readonly presence: Presence;
};

/**
 * The presence of a worker: whether it has left since its poll began, and its last departure before
 * that.
 */
export type Presence = { readonly hasLeft: boolean; readonly left: string | undefined };

/** A live worker. `share` is the number of partitions it holds. `until` is in milliseconds. */
export type MemberView = {
  readonly consumer: string;
  readonly share: number;
  readonly until: number;
};

/**
 * Manages the workers that share a subscription: the live ones, and the partitions that each works
 * on.
 */
export function createLeases({ table, clock, random, subscriptions }: Deps) {
  /**
   * Records that a worker is alive, and gives it its fair share. It keeps the worker's leases,
   * gives up those above its quota and takes free ones. Each lease lasts from `heardMs`, the time
   * of the worker's request. A snapshot has one lease as a whole. `before` is the presence at the
   * start of the poll; a worker that has left since then gets nothing. Throws `too-many-requests`
   * when there are too many workers.
   */
  async function hold(
    stream: LiveStream,
    name: string,
    consumer: string,
    { heardMs, before }: { heardMs: number; before?: Presence | undefined },
  ): Promise<Share> {
    const known = await subscriptions.recall(stream, name);
    const { uid } = known.row;
    const { life } = stream;
    const look = subscriptions.untils.look();
    const [state, members] = await Promise.all([
      subscriptions.refresh(stream, known),
      table.members.list(life, uid),
    ]);
    const leaseMs = leaseMsOf(state.row.config);
    const holders = { uid, leaseMs };
    const nowMs = clock.now();
    const alive = aliveOf(holders, look, members, nowMs);
    const left = members.find((member) => member.consumer === consumer)?.left;
    const hasLeft = before !== undefined && before.left !== left;
    const isHere = !hasLeft && (await beat(life, uid, { consumer, alive, heardMs, leaseMs, left }));
    if (!isHere) return { state, tokens: state.offsets.map(() => undefined), presence: GONE };
    const inUse = inUseOf(stream, state);
    const rows = inUse.map((row) => subscriptions.untils.ofLease(holders, row));
    const others = alive.map((member) => member.consumer);
    const plan = planLeases(consumer, { rows, alive: others, nowMs, heardMs, leaseMs });
    const until = heardMs + leaseMs;
    const at = ({ partition, lease }: Pick<OffsetRow, "partition" | "lease">) => {
      return { life, subscriptionUid: uid, partition, token: lease?.token ?? 0 };
    };
    const { giveUp, renew, take, keep } = plan;
    const forgotten = forget(life, uid, { members, others: [consumer, ...others] });
    const changed = await Promise.all([
      ...take.map((row) => {
        const ended = subscriptions.untils.ended(uid, row.partition);
        const token = nextCount(stream, row.lease?.token ?? 0);
        return table.leases.take(at(row), consumer, { token, nowMs, until, ended });
      }),
      ...renew.map((row) => table.leases.renew(at(row), consumer, until)),
      ...giveUp.map((row) => table.leases.giveUp(at(row), consumer)),
    ]);
    await forgotten;
    const after = new Map(state.offsets.map((row) => [row.partition, row]));
    for (const row of changed) if (row !== undefined) after.set(row.partition, row);
    const lost = new Set(renew.filter((_, index) => changed[take.length + index] === undefined));
    const mine = new Set([
      ...keep.filter((row) => !lost.has(row)).map(({ partition }) => partition),
      ...changed.slice(0, take.length).flatMap((row) => row?.partition ?? []),
    ]);
    const offsets = [...after.values()];
    // The worker may have left while it took free leases. Its departure has not released these.
    if (take.length > 0 && (await leftOf(life, uid, consumer)) !== left) {
      await giveUpAll(life, uid, offsets, consumer);
      return { state, tokens: offsets.map(() => undefined), presence: GONE };
    }
    return {
      presence: { hasLeft: false, left },
      state: { ...state, offsets },
      tokens: offsets.map(({ partition, lease }) =>
        mine.has(partition) ? lease?.token : undefined,
      ),
    };
  }

  /** Returns the live workers by the clock of this process, with `until` adjusted to it. */
  const aliveOf = (
    holders: Holders,
    look: Look,
    members: readonly MemberRow[],
    nowMs: number,
  ): MemberRow[] =>
    members
      .filter(({ until }) => until > 0)
      .map((member) => ({
        ...member,
        until: subscriptions.untils.ofMember(holders, look, member),
      }))
      .filter(({ until }) => until > nowMs);

  /**
   * Deletes rows of workers that are gone for long, if there are many. If that fails, the next poll
   * or the store deletes them.
   */
  async function forget(
    life: Life,
    uid: string,
    { members, others }: { members: readonly MemberRow[]; others: readonly string[] },
  ): Promise<void> {
    const alive = new Set(others);
    const rows = planForgetting(members, (member) =>
      alive.has(member.consumer) ? undefined : subscriptions.untils.goneMs({ uid }, member),
    );
    await Promise.allSettled(rows.map((row) => table.members.forget(life, uid, row)));
  }

  const leftOf = async (life: Life, uid: string, consumer: string) =>
    (await table.members.list(life, uid)).find((member) => member.consumer === consumer)?.left;

  /**
   * Records that a worker is alive, unless that was recorded a short while ago. Returns false when
   * it has left.
   */
  async function beat(
    life: Life,
    uid: string,
    { consumer, alive, heardMs, leaseMs, left }: Beat,
  ): Promise<boolean> {
    const me = alive.find((member) => member.consumer === consumer);
    if (me !== undefined && me.until - heardMs >= leaseMs * RENEW_BELOW) return true;
    if (me === undefined && alive.length >= LIMITS.consumersMax) throw tooManyConsumers();
    return table.members.put(life, uid, { consumer, until: heardMs + leaseMs, left });
  }

  /**
   * Ends a worker. Its leases are free at once, and its waiting polls end. It may still commit
   * events that it has received, until a different worker takes over. The departure is recorded
   * before the leases are read, so a poll that takes a lease in the meantime finds it. Repeating
   * the call is harmless.
   */
  async function leave(stream: LiveStream, name: string, consumer: string): Promise<void> {
    const { row } = await subscriptions.load(stream, name);
    const { life } = stream;
    await table.members.leave(life, row.uid, {
      consumer,
      left: newUid(random),
      nowMs: clock.now(),
    });
    const { offsets } = await subscriptions.load(stream, name);
    await giveUpAll(life, row.uid, offsets, consumer);
  }

  async function giveUpAll(
    life: Life,
    uid: string,
    offsets: readonly OffsetRow[],
    consumer: string,
  ): Promise<void> {
    await Promise.all(
      offsets.flatMap(({ partition, lease }) => {
        if (lease?.owner !== consumer) return [];
        const place = { life, subscriptionUid: uid, partition, token: lease.token };
        return [table.leases.giveUp(place, consumer)];
      }),
    );
  }

  /** Returns the live workers, by name. */
  async function list(stream: LiveStream, state: SubscriptionState): Promise<MemberView[]> {
    const nowMs = clock.now();
    const look = subscriptions.untils.look();
    const members = await table.members.list(stream.life, state.row.uid);
    const holders = { uid: state.row.uid, leaseMs: leaseMsOf(state.row.config) };
    const inUse = inUseOf(stream, state).map((row) => subscriptions.untils.ofLease(holders, row));
    return aliveOf(holders, look, members, nowMs)
      .map(({ consumer, until }) => {
        const held = inUse.filter(({ lease }) => lease?.owner === consumer && lease.until > nowMs);
        return { consumer, share: held.length / inUse.length, until };
      })
      .sort((a, b) => (a.consumer < b.consumer ? -1 : 1));
  }

  return { hold, leave, list };
}

export type Leases = ReturnType<typeof createLeases>;

/**
 * Returns the partitions that workers share. They take those of an epoch once the epoch before it
 * is committed to its end. Otherwise two workers could have events of one key.
 */
function inUseOf(stream: LiveStream, { bootstrap, offsets }: SubscriptionState) {
  if (isInSnapshot(bootstrap)) return offsets.slice(0, 1);
  if (stream.epochs === undefined) return offsets;
  const { first, partitions } = openEpoch(stream, offsets);
  return offsets.slice(first, first + partitions);
}

/** A sign of life of a worker at `heardMs`. */
type Beat = {
  readonly consumer: string;
  readonly alive: readonly MemberRow[];
  readonly heardMs: number;
  readonly leaseMs: number;
  readonly left: string | undefined;
};

const GONE: Presence = { hasLeft: true, left: undefined };

const tooManyConsumers = (): LedgerError =>
  new LedgerError("too-many-requests", {
    detail: `A subscription may have at most ${LIMITS.consumersMax} live workers. A worker must keep its name for as long as it runs.`,
    facts: { consumersMax: LIMITS.consumersMax },
    retryAfterSeconds: 5,
  });

import { rootCaller } from "../../../packages/core/src/access/permission.ts";
import { LedgerError } from "../../../packages/core/src/kernel/error.ts";
import type { Rights } from "../checker/history.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import { type Ask, asksOf } from "./asks.ts";
import { type Asking, knock } from "./door.ts";
import { STREAM } from "./plan.ts";
import type { Team } from "./team.ts";
import type { World } from "./world.ts";

/** The holder of an API key with bounded rights. */
export type Holder = {
  readonly base: string;
  /** The name of its key in the history. */
  name: string;
  keys: number;
  key: { readonly id: string; readonly text: string; readonly rights: Rights } | undefined;
  isRevoked: boolean;
  /** True if it has created its own subscription. */
  subscribes: boolean;
  /** Its last page of its own subscription. */
  page: { cursor: string; sequence: number | undefined } | undefined;
};

export const newHolder = (base: string): Holder => ({
  base,
  name: base,
  keys: 0,
  key: undefined,
  isRevoked: false,
  subscribes: false,
  page: undefined,
});

/**
 * Sends requests that its key allows and requests that it does not, and revokes the key now and
 * then.
 */
export async function useKey(
  world: World,
  holder: Holder,
  { teams, times }: { teams: readonly Team[]; times: number },
): Promise<void> {
  const random = world.random.fork(`${holder.base} ${world.time.nowMs()}`);
  for (let done = 0; done < times; done++) {
    await world.sleep(random.fraction() * 1_200);
    if (world.isOver()) return;
    const isDone = holder.key === undefined || random.chance(holder.isRevoked ? 0.3 : 0.03);
    if (isDone) await takeKey(world, holder, random);
    if (holder.key === undefined) continue;
    if (random.chance(0.05)) await revoke(world, holder, random);
    const ask = random.pick(asksOf(world, holder.key.rights, { holder, teams, random }));
    await send(world, holder, ask, random);
  }
}

async function takeKey(world: World, holder: Holder, random: SeededRandom): Promise<void> {
  holder.key = undefined;
  holder.page = undefined;
  holder.isRevoked = false;
  holder.subscribes = false;
  holder.name = `${holder.base}-${++holder.keys}`;
  const rights = drawRights(holder, random);
  const made = await world.recorder.record(
    "admin",
    { op: "grant", holder: holder.name, ...rights },
    () =>
      world.call(world.anyApi(random), (ledger) =>
        ledger.access.createKey(rootCaller, { name: holder.name, ...rights } as never),
      ),
    () => ({ op: "grant" }),
  );
  if (made !== undefined) holder.key = { id: made.id, text: made.apiKey, rights };
}

function drawRights({ name }: Holder, random: SeededRandom): Rights {
  const all = ["publish", "read", "consume", "operate"];
  const own = { subscriptions: [`${name}-*`] };
  const streams = random.pick([[STREAM], [`${STREAM.slice(0, 3)}*`], ["*"]]);
  return random.pick<Rights>([
    { scopes: all, streams, keyPrefix: "key-1", ...own },
    { scopes: all, streams, keyPrefix: "key-1", ...own },
    { scopes: ["read", "consume"], streams, keyPrefix: "key-1" },
    { scopes: ["consume", "operate"], streams, ...own },
    { scopes: [random.pick(["publish", "read", "consume"])], streams },
    { scopes: all, streams: ["other*"] },
  ]);
}

async function revoke(world: World, holder: Holder, random: SeededRandom): Promise<void> {
  const { name, key } = holder;
  if (key === undefined) return;
  holder.isRevoked = true;
  await world.recorder.record(
    "admin",
    { op: "revoke", holder: name },
    () => world.call(world.anyApi(random), (ledger) => ledger.access.revokeKey(rootCaller, key.id)),
    () => ({ op: "revoke" }),
  );
  // After this time every process knows of the revocation.
  if (random.chance(0.5)) await world.sleep(31_000);
}

async function send(world: World, holder: Holder, ask: Ask, random: SeededRandom): Promise<void> {
  const { name, key } = holder;
  if (key === undefined) return;
  const api = world.anyApi(random);
  const run = () => world.call(api, () => knock(api, key.text, ask.asking)).catch(showing(ask));
  if (ask.events !== undefined) {
    await world.recorder.record(
      name,
      { op: "publish", stream: STREAM, events: ask.events, holder: name },
      run,
      ({ body }) => ({
        op: "publish",
        sequences: (body.events as { sequence: number }[]).map(({ sequence }) => sequence),
      }),
    );
    return;
  }
  const { asking: _, events: __, onAnswer, ...facts } = ask;
  const answer = await world.recorder.record(
    name,
    { op: "ask", holder: name, stream: STREAM, ...facts },
    run,
    ({ text }) => ({ op: "ask", seen: namesIn(text, ask.asking) }),
  );
  if (answer !== undefined) onAnswer?.(answer);
}

/** Adds to a refusal the names that its text reveals. */
const showing =
  ({ asking }: Ask) =>
  (error: unknown): never => {
    if (!(error instanceof LedgerError)) throw error;
    const seen = namesIn(String(error.facts.text), asking).join(" ");
    throw new LedgerError(error.code, { detail: error.detail, facts: { ...error.facts, seen } });
  };

const NAMES = /\b(?:key|team|follower|bootstrap|holder)-\d[\w-]*/g;

/** Returns the names in a text that its request does not itself name. */
function namesIn(text: string, { path, body }: Asking): string[] {
  const asked = decodeURIComponent(path) + JSON.stringify(body ?? "");
  return [...new Set(text.match(NAMES) ?? [])].filter((name) => !asked.includes(name));
}

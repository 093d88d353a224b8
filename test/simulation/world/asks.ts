import type { EventRef, Rights } from "../checker/history.ts";
import type { SeededRandom } from "../dynamodb/seeded-random.ts";
import type { Answer, Asking } from "./door.ts";
import type { Holder } from "./keyholder.ts";
import { STREAM } from "./plan.ts";
import type { Team } from "./team.ts";
import type { World } from "./world.ts";

/** A request of a keyholder, and the rights that it needs, in the terms of the protocol. */
export type Ask = {
  readonly what: string;
  readonly asking: Asking;
  readonly needs: readonly string[];
  readonly subscription?: string;
  readonly keys?: readonly string[];
  readonly whole?: true;
  /** The events of a publish. */
  readonly events?: readonly EventRef[];
  readonly onAnswer?: (answer: Answer) => void;
};

type Whose = { holder: Holder; teams: readonly Team[]; random: SeededRandom };

const BASE = `/streams/${STREAM}`;

const get = (path: string): Asking => ({ method: "GET", path: `${BASE}${path}` });
const post = (path: string, body: unknown = {}): Asking => ({
  method: "POST",
  path: `${BASE}${path}`,
  body,
});

/** Returns the requests that a keyholder may send next. */
export function asksOf(world: World, rights: Rights, whose: Whose): readonly Ask[] {
  const { random, teams, holder } = whose;
  const key = `key-${random.between(1, world.plan.keys)}`;
  const own = `${holder.name}-sub`;
  const team = teams.length === 0 ? [] : [random.pick(teams).name];
  return [
    ...ofStream(world, key, random),
    ...ofOwn(holder, own, random),
    ...team.flatMap((name) => readsOf(name)),
    // A key that may do this would disturb the team, so these are only sent where they are refused.
    ...team.filter((name) => isOutside(rights, name)).flatMap((name) => changesOf(name, key)),
  ];
}

/** Returns requests about a stream as a whole, and about a key of it. */
function ofStream(world: World, key: string, random: SeededRandom): Ask[] {
  const other = `key-${random.between(1, world.plan.keys)}`;
  const events = [key, ...(random.chance(0.3) ? [other] : [])].map((each) => ({
    n: world.nextEvent(),
    key: each,
  }));
  const sent = events.map(({ n, key: of }) => ({ key: of, id: String(n), data: { n } }));
  const read = ["read"];
  return [
    { what: "publish", asking: post("/events", { events: sent }), needs: ["publish"], events },
    { what: "browse", asking: get("/events?limit=20"), needs: read },
    { what: "browse key", asking: get(`/events?limit=20&key=${key}`), needs: read, keys: [key] },
    { what: "compacted", asking: get("/compacted?limit=20"), needs: read },
    { what: "get", asking: get(`/compacted?key=${key}`), needs: read, keys: [key] },
    { what: "list", asking: get("/subscriptions"), needs: read },
    {
      what: "patch stream",
      asking: { method: "PATCH", path: BASE, body: { retentionHours: 1 } },
      needs: ["admin"],
      whole: true,
    },
    {
      what: "delete stream",
      asking: { method: "DELETE", path: BASE },
      needs: ["admin"],
      whole: true,
    },
  ];
}

/** Returns requests about a subscription of the holder. */
function ofOwn(holder: Holder, name: string, random: SeededRandom): Ask[] {
  const at = `/subscriptions/${name}`;
  const prefix = random.pick(["key-1", "key-1", "key-2"]);
  const of = { subscription: name };
  const { page } = holder;
  const make = { name, start: "earliest", filter: { keyPrefix: "key-1" } };
  const poll: Ask = {
    what: "poll",
    asking: get(`${at}/poll?limit=5`),
    needs: ["consume"],
    ...of,
    onAnswer: ({ body }) => {
      const [first] = body.events as { sequence: number }[];
      holder.page = { cursor: String(body.cursor), sequence: first?.sequence };
    },
  };
  const subscribe: Ask = {
    what: "subscribe",
    asking: post("/subscriptions", make),
    needs: ["consume"],
    ...of,
    onAnswer: () => {
      holder.subscribes = true;
    },
  };
  return [
    ...(holder.subscribes ? [subscribe] : [subscribe, subscribe, subscribe, subscribe]),
    {
      what: "subscribe to more",
      asking: post("/subscriptions", {
        ...make,
        name: `${name}-2`,
        filter: { keyPrefix: "key-2" },
      }),
      needs: ["consume"],
      subscription: `${name}-2`,
      keys: ["key-2"],
    },
    poll,
    poll,
    ...(page === undefined
      ? []
      : [
          {
            what: "commit",
            asking: post(`${at}/commit`, { cursor: page.cursor }),
            needs: ["consume"],
            ...of,
          },
        ]),
    {
      what: "change",
      asking: { method: "PATCH", path: `${BASE}${at}`, body: { filter: { keyPrefix: prefix } } },
      needs: ["operate"],
      ...of,
      keys: [prefix],
    },
  ];
}

const readsOf = (name: string): Ask[] => {
  const at = `/subscriptions/${name}`;
  const of = { subscription: name };
  return [
    { what: "poll", asking: get(`${at}/poll?limit=20`), needs: ["consume"], ...of },
    { what: "describe", asking: get(at), needs: ["read", "consume", "operate"], ...of },
    { what: "list parked", asking: get(`${at}/parked`), needs: ["read", "operate"], ...of },
  ];
};

function changesOf(name: string, key: string): Ask[] {
  const at = `/subscriptions/${name}`;
  const of = { needs: ["operate"], subscription: name };
  const asKey = `?key=${key}`;
  return [
    { what: "seek", asking: post(`${at}/seek`, { to: "latest" }), ...of },
    { what: "park", asking: post(`${at}/park`, { sequence: 1, key }), ...of, keys: [key] },
    { what: "retry", asking: post(`${at}/parked/retry${asKey}`), ...of, keys: [key] },
    { what: "skip", asking: post(`${at}/parked/skip${asKey}`), ...of, keys: [key] },
    {
      what: "change",
      asking: { method: "PATCH", path: `${BASE}${at}`, body: { filter: null } },
      ...of,
    },
    { what: "delete", asking: { method: "DELETE", path: `${BASE}${at}` }, ...of },
  ];
}

/** Returns whether the holder may not change a subscription, whatever its filter is. */
const isOutside = ({ scopes, subscriptions, streams }: Rights, name: string): boolean =>
  !scopes.includes("operate") ||
  streams.every((glob) => glob.startsWith("other")) ||
  (subscriptions !== undefined &&
    !subscriptions.some((glob) => name.startsWith(glob.slice(0, -1))));

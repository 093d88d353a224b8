import { type FakeStream, lagOf } from "./fake-log.ts";
import { Refusal } from "./fake-problem.ts";
import {
  assertAlive,
  type FakeAnswer,
  type FakeRequest,
  type FakeState,
  type Found,
  isAlive,
  pacing,
  wait,
} from "./fake-state.ts";
import {
  commit,
  cursorOf,
  type FakeSubscription,
  moveTo,
  park,
  pollPage,
  release,
} from "./fake-subscription.ts";

export function createSubscription(
  state: FakeState,
  { stream, subs }: Found,
  body: FakeRequest["body"],
) {
  const { name, ...given } = body;
  const settings = { start: "earliest", leaseSeconds: 30, ...given };
  const former = subs.get(String(name));
  if (former !== undefined) {
    if (JSON.stringify(former.settings) !== JSON.stringify(settings)) {
      throw new Refusal("subscription-exists", "It already exists with other settings");
    }
    return { status: 200, body: describeSub(stream, former) };
  }
  const sub: FakeSubscription = {
    name: String(name),
    settings,
    position: 0,
    snapshot: undefined,
    seeks: 0,
    parked: new Map(),
    members: new Map(),
    owner: undefined,
    fence: 0,
    createdAt: new Date(state.now()).toISOString(),
  };
  moveTo({ stream, sub }, settings.start);
  subs.set(sub.name, sub);
  return { status: 201, body: describeSub(stream, sub) };
}

type At = { stream: FakeStream; sub: FakeSubscription; now: number };

const describeSub = (stream: FakeStream, { name, settings, createdAt }: FakeSubscription) => ({
  name,
  stream: stream.name,
  ...settings,
  createdAt,
  life: stream.life,
});

export const info = ({ stream, sub, now }: At) => ({
  ...describeSub(stream, sub),
  phase: sub.snapshot === undefined ? "log" : "bootstrap",
  position: sub.snapshot === undefined ? cursorOf({ stream, sub }, { kind: "log" }) : null,
  lag: lagOf(stream, sub.position, now),
  keysBehind: null,
  parkedKeys: sub.parked.size,
  warnings: [],
  members: [...sub.members].map(([consumer, until]) => ({
    consumer,
    share: consumer === sub.owner ? 1 : 0,
    until: new Date(until).toISOString(),
  })),
});

export async function act(
  state: FakeState,
  { subs, ...at }: At & { readonly subs: Found["subs"] },
  { action, request }: { readonly action: string; readonly request: FakeRequest },
): Promise<FakeAnswer> {
  const { stream, sub, now } = at;
  const { body, query, method } = request;
  const life = stream.life;
  if (action === "poll") return poll(state, { ...at, subs }, method === "GET" ? query : body);
  if (action === "commit") {
    const stale = !commit(at, String(body.cursor), undefined);
    const redelivers = { redelivers: "nothing", redeliversBecause: [] };
    const lag = lagOf(stream, sub.position, now);
    return { status: 200, body: { committed: cursorOf(at), stale, ...redelivers, lag, life } };
  }
  if (action === "seek") {
    const moved = body.dryRun === true ? { ...at, sub: { ...sub, parked: new Map() } } : at;
    moveTo(moved, body.to);
    moved.sub.seeks += 1;
    const { phase, lag } = info(moved);
    return { status: 200, body: { committed: cursorOf(at), phase, lag, life } };
  }
  if (action === "leave") {
    sub.members.delete(String(body.consumer));
    if (sub.owner === body.consumer) sub.owner = undefined;
    return { status: 204 };
  }
  if (action === "park") return { status: 200, body: park(at, body) };
  if (action === "parked")
    return { status: 200, body: { parked: [...sub.parked.values()], cursor: null } };
  throw new Refusal("route-not-found", "There is no such route");
}

export const releaseAs = (
  at: At,
  how: string,
  key: string,
  { sequence = "" }: FakeRequest["query"],
) => release(at, key, how === "skip" ? sequence : undefined);

async function poll(
  state: FakeState,
  { subs, ...at }: At & { readonly subs: Found["subs"] },
  given: Readonly<Record<string, unknown>>,
): Promise<FakeAnswer> {
  const { stream, sub } = at;
  const { limit = 100, waitSeconds = 0, after, commit: cursor, consumer } = given as PollGiven;
  const stale = cursor === undefined ? undefined : !commit(at, cursor, consumer);
  const look = () =>
    pollPage(
      { stream, sub, now: state.now() },
      {
        limit: Number(limit),
        ...(after === undefined ? {} : { after }),
        ...(consumer === undefined ? {} : { consumer }),
      },
    );
  const { seeks } = sub;
  let page = look();
  await wait(state, Number(waitSeconds), () => {
    if (!isAlive(state, stream) || subs.get(sub.name) !== sub || sub.seeks !== seeks) return true;
    page = look();
    return page.events.length > 0;
  });
  assertAlive(state, stream);
  if (sub.seeks !== seeks) page = look();
  const committed = cursor === undefined ? {} : { committed: cursorOf(at), stale };
  return { status: 200, body: { ...page, ...committed, ...pacing(page.caughtUp, waitSeconds) } };
}

type PollGiven = {
  readonly limit?: number | string;
  readonly waitSeconds?: number | string;
  readonly after?: string;
  readonly commit?: string;
  readonly consumer?: string;
};

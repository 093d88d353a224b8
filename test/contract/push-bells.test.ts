import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDispatcher } from "../../packages/functions/src/dispatcher.ts";
import type { Bell, Bells, Rung } from "../../packages/functions/src/push/bells.ts";
import { createPusherHandler } from "../../packages/functions/src/pusher.ts";
import { localAws } from "../../packages/local/src/local-aws.ts";
import { startPump } from "../../packages/local/src/pump.ts";
import { loadStreamArn } from "../../packages/local/src/table.ts";
import { openPushTarget } from "./push-target.ts";

/**
 * These tests run the functions that push on AWS, over the real store and a real receiver. Only the
 * queue is simulated: it keeps each message until its time, and delivers it as SQS does.
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const AWAKE_MS = 5 * MINUTE_MS;

let aheadMs = 0;
const target = await openPushTarget(() => aheadMs);
const { api, received, answer, sendTo } = target;
const { ledger, client } = target.opened;
const now = () => Date.now() + aheadMs;

type Message = { readonly body: string; readonly dueMs: number; readonly delaySeconds: number };
const messages: Message[] = [];
let isBroken = false;
const bells: Bells = {
  async send(rung: readonly Rung[]) {
    if (isBroken) throw new Error("The queue is away");
    for (const { bell, delaySeconds } of rung) {
      const dueMs = now() + delaySeconds * SECOND_MS;
      messages.push({ body: JSON.stringify(bell), dueMs, delaySeconds });
    }
  },
};
const dispatch = createDispatcher(ledger, bells);
const push = createPusherHandler({ ledger, bells, now });

/** Delivers the messages whose time has come, until none is left. Returns how many there were. */
async function drain(): Promise<number> {
  for (let count = 0; ; count++) {
    const at = messages.findIndex(({ dueMs }) => dueMs <= now());
    const [message] = at < 0 ? [] : messages.splice(at, 1);
    if (message === undefined) return count;
    await push({ Records: [message] });
  }
}

const database = new DynamoDBClient(localAws(target.endpoint));
const streams = new DynamoDBStreamsClient(localAws(target.endpoint));
let heard: { readonly pk: string; readonly sk: string }[] = [];
const pump = await startPump({
  client: streams,
  loadStreamArn: () => loadStreamArn(database, target.tableName),
  handler: async (event) => {
    await dispatch(event);
    const keys = event.Records.map(({ dynamodb: { Keys } }) => Keys).filter(
      ({ pk }) => !pk?.S?.startsWith("STREAM#_audit#"),
    );
    heard.push(...keys.map(({ pk, sk }) => ({ pk: pk?.S ?? "", sk: sk?.S ?? "" })));
    return { batchItemFailures: [] };
  },
  pollMs: 20,
  backoffMs: 20,
});
afterAll(async () => {
  await pump.stop();
  streams.destroy();
  database.destroy();
  await target.close();
});

const open: string[] = [];
beforeEach(() => {
  received.length = 0;
  messages.length = 0;
  heard = [];
  isBroken = false;
  answer(() => 204);
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const stream of open.splice(0)) await target.end(stream);
});

const eventOf = (n: number, key = "a") => ({ key, data: { n } });
const sent = () => received.map(({ body }) => (body.data as { n: number }).n);
/** Waits until the dispatcher has heard this many rows. */
const hear = (count: number) =>
  expect.poll(() => heard.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
const timers = () => messages.map(({ delaySeconds }) => delaySeconds);

/** Makes a stream with a pushed subscription, whose first bell is answered. */
async function pushed(): Promise<{ stream: string; bell: Bell }> {
  const { stream } = await target.pushed();
  open.push(stream);
  await hear(1);
  expect(await drain()).toBe(1);
  const [id] = await ledger.listPushes();
  if (id === undefined) throw new Error("There is no push");
  return { stream, bell: id };
}

describe("the dispatcher and the pusher", () => {
  it("a batch rings each push of its stream once, and its events are sent", async () => {
    const { stream } = await pushed();
    await api.publish(stream, [eventOf(1), eventOf(2)]);
    await hear(2);
    expect(await drain()).toBe(1);
    expect(sent()).toEqual([1, 2]);
    expect(messages).toEqual([]);
    expect(await api.getSubscription(stream, "hook")).toMatchObject({ lag: { events: 0 } });
  });

  it("a stream without a push rings nothing, and neither does a disabled one", async () => {
    const { stream } = await pushed();
    const other = await api.newStream({ compaction: "none" });
    await sendTo(stream, "/disable", "POST");
    await api.publish(other, [eventOf(1)]);
    await api.publish(stream, [eventOf(1)]);
    await hear(3);
    expect(messages).toEqual([]);
    await sendTo(stream, "/enable", "POST");
    await hear(4);
    expect(await drain()).toBe(1);
    expect(sent()).toEqual([1]);
  });

  it("an event that comes while a pusher ends rings nothing, and is sent by this pusher", async () => {
    const { stream } = await pushed();
    await api.publish(stream, [eventOf(1)]);
    await hear(2);
    let isLate = false;
    // The pusher has found no more events, and is about to record that it ends.
    client.middlewareStack.add(
      (next, { commandName = "" }) =>
        async (args) => {
          const { UpdateExpression = "" } = args.input as { UpdateExpression?: string };
          if (!isLate && /UpdateItem/.test(commandName) && /REMOVE #awake/.test(UpdateExpression)) {
            isLate = true;
            await api.publish(stream, [eventOf(2)]);
            await hear(3);
            expect(messages).toEqual([]);
          }
          return next(args);
        },
      { step: "initialize", name: "late" },
    );
    await drain();
    expect(isLate).toBe(true);
    expect(sent()).toEqual([1, 2]);
    await api.publish(stream, [eventOf(3)]);
    await hear(4);
    expect(await drain()).toBe(1);
    expect(sent()).toEqual([1, 2, 3]);
  });

  it("two bells of one push do not run twice at the same time", async () => {
    const { stream, bell } = await pushed();
    await api.publish(stream, [eventOf(1)]);
    await hear(2);
    answer(() => "nothing");
    const running = drain();
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
    await push({ Records: [{ body: JSON.stringify(bell) }] });
    expect(received).toHaveLength(1);
    expect(timers()).toEqual([AWAKE_MS / SECOND_MS]);
    answer(() => 204);
    target.release();
    await running;
    expect(sent()).toEqual([1]);
  });

  it("the events of a pusher that has died are sent when it is taken for dead", async () => {
    const { stream, bell } = await pushed();
    await api.publish(stream, [eventOf(1)]);
    await hear(2);
    const dead = target.other();
    answer(() => "nothing");
    void dead.ledger.runPushAlone(bell, { budgetMs: 50_000, awakeMs: AWAKE_MS });
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
    // From now on this process writes nothing.
    dead.client.middlewareStack.add(() => () => new Promise(() => {}), { step: "initialize" });
    target.release();
    answer(() => 204);
    received.length = 0;
    await drain();
    expect(sent()).toEqual([]);
    aheadMs += AWAKE_MS + SECOND_MS;
    await drain();
    expect(sent()).toEqual([1]);
  });

  it("the timers of a pusher that has died, or whose run has thrown, are set again", async () => {
    const { stream, bell } = await pushed();
    answer(() => ({ status: 503, headers: { "retry-after": "3600" } }));
    await api.publish(stream, [eventOf(1)]);
    await hear(2);
    await drain();
    expect(messages.splice(0)).toHaveLength(1);
    answer(() => "nothing");
    const dead = target.other();
    await api.publish(stream, [eventOf(2, "b")]);
    void dead.ledger.runPushAlone(bell, { budgetMs: 50_000, awakeMs: AWAKE_MS });
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(2);
    dead.client.middlewareStack.add(() => () => new Promise(() => {}), { step: "initialize" });
    target.release();
    answer(() => 204);
    messages.length = 0;
    aheadMs += AWAKE_MS + SECOND_MS;
    await push({ Records: [{ body: JSON.stringify(bell) }] });
    expect(sent()).toEqual([1, 2, 2]);
    expect(messages.splice(0)).toMatchObject([{ delaySeconds: 900 }]);
    await push({ Records: [{ body: JSON.stringify(bell) }] });
    expect(messages).toEqual([]);
    await push({ Records: [{ body: JSON.stringify({ ...bell, tries: 1 }) }] });
    expect(messages).toMatchObject([{ delaySeconds: 900 }]);
  });

  it("a failed key is tried again by a timer, and a long one is a chain of short ones", async () => {
    const { stream, bell } = await pushed();
    answer(() => ({ status: 503, headers: { "retry-after": "3600" } }));
    await api.publish(stream, [eventOf(1)]);
    await hear(2);
    await drain();
    expect(sent()).toEqual([1]);
    answer(() => 204);
    for (let waitedMs = 0; waitedMs < HOUR_MS; waitedMs += 15 * MINUTE_MS) {
      expect(Math.max(...timers())).toBeLessThanOrEqual(900);
      expect(sent()).toEqual([1]);
      aheadMs += 15 * MINUTE_MS + SECOND_MS;
      await drain();
    }
    expect(sent()).toEqual([1, 1]);
    expect(messages).toEqual([]);
    expect(bell.subscriptionUid).toBeTypeOf("string");
  });

  it("a queue that does not take the bells makes Lambda send the records again", async () => {
    const { stream } = await pushed();
    isBroken = true;
    await api.publish(stream, [eventOf(1)]);
    await expect.poll(() => pump.counters.retries, { timeout: 20_000 }).toBeGreaterThan(0);
    isBroken = false;
    await hear(2);
    expect(await drain()).toBe(1);
    expect(sent()).toEqual([1]);
  });

  it("a run that throws is repeated later, and its bell dies in the end", async () => {
    const lines: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
    const throwing = createPusherHandler({
      ledger: { runPushAlone: () => Promise.reject(new Error("no table")) },
      bells,
      now,
    });
    const bell = { life: "s#u", subscriptionUid: "x" } as unknown as Bell;
    let body = JSON.stringify(bell);
    const delays: number[] = [];
    for (let run = 0; run < 8; run++) {
      await throwing({ Records: [{ body }] });
      const [next] = messages.splice(0);
      delays.push(next?.delaySeconds ?? 0);
      body = next?.body ?? "";
      aheadMs += 15 * MINUTE_MS;
    }
    expect(delays).toEqual([5, 10, 20, 40, 80, 160, 320, 640]);
    await expect(throwing({ Records: [{ body }] })).rejects.toThrow("no table");
    expect(messages).toEqual([]);
    expect(lines).toHaveLength(9);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "ERROR", message: "no table" });
  });

  it("a message that is no bell fails, so that it ends among the dead bells", async () => {
    await expect(push({ Records: [{ body: "{}" }] })).rejects.toThrow("no bell");
  });
});

/** A change of a subscription, and what its push sends because of it. */
type Change = {
  readonly of: string;
  readonly change: (stream: string) => Promise<unknown>;
  readonly sends: readonly number[];
};

describe("a change of a subscription that lets events through rings its push", () => {
  const changes: readonly Change[] = [
    { of: "a seek", change: (at) => api.seek(at, "hook", "earliest"), sends: [1, 2] },
    {
      of: "a replay",
      change: (at) => sendTo(at, "/replay", "POST", { from: "earliest" }),
      sends: [1, 2],
    },
    {
      of: "another filter",
      change: (at) => api.patchSubscription(at, "hook", { filter: { keyPrefix: "b" } }),
      sends: [],
    },
    { of: "an enable", change: (at) => sendTo(at, "/enable", "POST"), sends: [] },
    {
      of: "another endpoint",
      change: (at) => sendTo(at, "", "PUT", { url: target.url }),
      sends: [],
    },
    { of: "a rotation", change: (at) => sendTo(at, "/rotate", "POST"), sends: [] },
  ];
  it.each(changes)("[push.ring] $of", async ({ change, sends }) => {
    const { stream } = await pushed();
    await api.publish(stream, [eventOf(1), eventOf(2)]);
    await hear(2);
    await drain();
    received.length = 0;
    await change(stream);
    await hear(3);
    expect(await drain()).toBe(1);
    expect(sent()).toEqual(sends);
  });

  it.each(["retry", "skip"] as const)("[push.ring] a %s of a parked key", async (how) => {
    const { stream } = await pushed();
    answer(() => 500);
    await api.publish(stream, [eventOf(1), eventOf(2)]);
    await hear(2);
    await drain();
    expect(sent()).toEqual([1]);
    received.length = 0;
    answer(() => 204);
    await api.release(stream, "hook", "a", how);
    await hear(3);
    expect(await drain()).toBe(1);
    expect(sent()).toEqual(how === "retry" ? [1, 2] : [2]);
  });

  it("[push.ring] a worker that leaves", async () => {
    const { stream } = await pushed();
    await api.commitAndPoll(stream, "hook", { consumer: "by-hand" });
    await api.publish(stream, [eventOf(1)]);
    await hear(2);
    await drain();
    expect(sent()).toEqual([]);
    await api.leave(stream, "hook", "by-hand");
    await hear(3);
    await drain();
    expect(sent()).toEqual([1]);
  });

  it("but not the push of a different subscription, and none that is disabled", async () => {
    const { stream } = await pushed();
    await api.createSubscription(stream, { name: "other", start: "earliest" });
    await api.seek(stream, "other", "earliest");
    await sendTo(stream, "/disable", "POST");
    await api.seek(stream, "hook", "earliest");
    await api.publish(stream, [eventOf(1)]);
    await hear(2);
    expect(heard.filter(({ sk }) => sk === "BELL")).toHaveLength(1);
    expect(messages).toEqual([]);
  });
});

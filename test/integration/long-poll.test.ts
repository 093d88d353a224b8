import { describe, expect, it, vi } from "vitest";
import { openLedger } from "../../packages/functions/src/open-ledger.ts";
import { startServer } from "../../packages/local/src/http-server.ts";
import { createSteppedClock } from "../support/stepped-clock.ts";
import { createTestTable } from "../support/test-table.ts";

type World = Awaited<ReturnType<typeof openWorld>>;

/** Opens a server with a stream and a subscription, and notes what it sends to the store. */
async function openWorld() {
  const { endpoint, tableName } = await createTestTable();
  const time = createSteppedClock();
  const opened = openLedger({
    endpoint,
    tableName,
    region: "us-east-1",
    clock: time.clock,
    adminKey: "admin",
    cursorKey: "secret",
    authOff: true,
  });
  time.watch(opened.client);
  const sent: string[] = [];
  opened.client.middlewareStack.add(
    (next, { commandName }) =>
      (request) => {
        sent.push(String(commandName));
        return next(request);
      },
    { step: "initialize", name: "counted" },
  );
  const server = await startServer(opened, { host: "127.0.0.1", port: 0 });

  async function ask(method: string, path: string, json?: object, signal?: AbortSignal) {
    const response = await fetch(`${server.url}${path}`, {
      method,
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      headers: json === undefined ? {} : { "content-type": "application/json" },
      ...(signal === undefined ? {} : { signal }),
    });
    const body = (await response.json()) as {
      cursor: string;
      events: { key: string }[];
      nextPollMs: number;
    };
    return { status: response.status, body };
  }

  await ask("POST", "/streams", { name: "orders" });
  await ask("POST", "/streams/orders/subscriptions", { name: "s" });
  return {
    server,
    opened,
    sent,
    time,
    ask,
    pollFor: (seconds: number, signal?: AbortSignal) =>
      ask("GET", `/streams/orders/subscriptions/s/poll?waitSeconds=${seconds}`, undefined, signal),
    waiters: (count: number) =>
      vi.waitFor(() => expect(opened.ledger.waitingPolls()).toBe(count), 30_000),
    publish: (key: string) => ask("POST", "/streams/orders/events", { key, data: 1 }),
  };
}

/** Runs a test on a server of its own. */
const inWorld = (test: (world: World) => Promise<void>) => async () => {
  const world = await openWorld();
  try {
    await test(world);
  } finally {
    await world.server.stop();
    world.opened.close();
  }
};

/** These tests check what long polls occupy and cost on the server. Time passes by steps. */
describe("a long poll", () => {
  it(
    "[poll.wait] each publish in the same process answers a waiting poll, one after the other",
    inWorld(async ({ ask, pollFor, publish, time, waiters }) => {
      for (let n = 0; n < 12; n++) {
        const { cursor } = (await pollFor(0)).body;
        const path = `/streams/orders/subscriptions/s/poll?waitSeconds=20&after=${cursor}`;
        const polling = ask("GET", path);
        await waiters(1);
        await publish(`k${n}`);
        expect((await time.passUntil(polling)).body.events.map(({ key }) => key)).toEqual([
          `k${n}`,
        ]);
        // The poll continues after this event, so that the next round waits for later ones.
        const { body } = await pollFor(0);
        const json = { cursor: body.cursor };
        await ask("POST", "/streams/orders/subscriptions/s/commit", json);
      }
    }),
  );

  it(
    "[poll.wait] a poll frees everything when its client goes away",
    inWorld(async ({ pollFor, sent, time, waiters }) => {
      const going = new AbortController();
      const polls = Array.from({ length: 20 }, () =>
        pollFor(20, going.signal).catch((error: Error) => error.name),
      );
      await waiters(20);
      going.abort();
      expect(new Set(await Promise.all(polls))).toEqual(new Set(["AbortError"]));
      await waiters(0);
      // A request that was in flight when the clients left may still arrive.
      await time.settle();
      sent.length = 0;
      await time.pass(20_000);
      expect(sent).toEqual([]);
    }),
  );

  it(
    "[poll.wait] a waiting poll is answered with an empty page when the server stops",
    inWorld(async ({ opened, pollFor, server, time, waiters }) => {
      const polls = Array.from({ length: 5 }, () => pollFor(20));
      await waiters(5);
      // If the server did not end the waits, it would cut the connections and there would be no
      // answers.
      await time.passUntil(server.stop());
      for (const { status, body } of await Promise.all(polls)) {
        expect(status).toBe(200);
        expect(body.events).toEqual([]);
        expect(body.nextPollMs).toBeGreaterThan(0);
      }
      expect(opened.ledger.waitingPolls()).toBe(0);
    }),
  );

  it(
    "[poll.wait] a waiting poll checks the table less and less often",
    inWorld(async ({ pollFor, sent, time }) => {
      await pollFor(0);
      sent.length = 0;
      await time.passUntil(pollFor(8));
      // The poll looks at once and may read the position again. It looks again at 0.5, 1.5, 3, 4.5,
      // 6, 7.5 and 8 s.
      expect(sent.length).toBeLessThanOrEqual(3 + 7);
    }),
  );

  it(
    "[poll.wait] polls that wait at the same place share one check",
    inWorld(async ({ pollFor, sent, time, waiters }) => {
      await Promise.all(Array.from({ length: 30 }, () => pollFor(0)));
      const polls = Array.from({ length: 30 }, () => pollFor(6));
      await waiters(30);
      await time.pass(500);
      sent.length = 0;
      await time.passUntil(Promise.all(polls));
      // There are at most two looks a second, however many polls wait.
      expect(sent.length).toBeLessThanOrEqual(12);
    }),
  );
});

import { EventLedger, LedgerProblem, memory, rawJson } from "@eventledger/sdk";

/**
 * The same checks in every engine. Returns the names of those that passed, and throws at the first
 * that does not.
 */
export async function smoke({ url, apiKey, stream: name }) {
  const passed = [];
  const check = async (what, work) => {
    let timer;
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("took longer than 20 s")), 20_000);
    });
    try {
      await Promise.race([work(), limit]);
    } catch (error) {
      throw new Error(`${what}: ${error?.stack ?? error}`);
    } finally {
      clearTimeout(timer);
    }
    passed.push(what);
  };
  const equal = (actual, expected) => {
    const [a, b] = [actual, expected].map((value) => JSON.stringify(value));
    if (a !== b) throw new Error(`${a} is not ${b}`);
  };
  const requests = [];
  const ledger = new EventLedger({
    url,
    apiKey,
    wait: 1,
    onRequest: ({ status }) => requests.push(status),
  });
  const orders = ledger.stream(name);

  await check("a stream is created, and again", async () => {
    await ledger.createStream(name, { partitions: 2 });
    await ledger.createStream(name, { partitions: 2 });
  });
  await check("an event is published once, and a key is deleted", async () => {
    const how = { idempotencyKey: "smoke-1" };
    const first = await orders.publish({ key: "a", type: "placed", data: { n: 1 } }, how);
    const again = await orders.publish({ key: "a", type: "placed", data: { n: 1 } }, how);
    equal(again, first);
    await orders.publish({ key: "gone", data: 1 });
    await orders.delete("gone");
  });
  await check("a publisher keeps the order of a key", async () => {
    const out = orders.publisher({ eventsMax: 20 });
    for (let n = 0; n < 100; n++) void out.add({ key: `k${n % 3}`, data: n });
    await out.close();
    const seen = [];
    for await (const { data } of orders.read({ key: "k1" })) seen.push(data);
    equal(
      seen,
      Array.from({ length: 33 }, (_, index) => index * 3 + 1),
    );
  });
  await check("a view has every key, and its own write", async () => {
    const view = orders.view({ store: memory() });
    await view.ready();
    await view.seen(await orders.publish({ key: "b", data: "é 😀" }));
    equal(view.get("b"), "é 😀");
    equal([...view.entries()].length, 5);
    await view.close();
  });
  await check("a subscription delivers, parks and ends with its signal", async () => {
    const work = orders.subscription("smoke", { start: "earliest" });
    const ending = new AbortController();
    let seen = 0;
    const running = work.run(
      ({ key, data }) => {
        if (key === "k2" && data === 50) throw new Error("no");
        seen += 1;
      },
      { concurrency: 4, onError: "park", signal: ending.signal },
    );
    const ended = running.catch(({ message }) => message);
    await work.create();
    for (let lag = 1; lag > 0; ) lag = (await work.info()).lag.events;
    ending.abort(new Error("enough"));
    equal(await ended, "enough");
    const parked = [];
    for await (const { key } of work.parked()) parked.push(key);
    equal(parked, ["k2"]);
    // Of 104 events, the 17th of k2 and the 16 after it are missing.
    equal(seen, 87);
  });
  await check("a problem has its code", async () => {
    const error = await ledger
      .stream("no-such-stream")
      .publish({ key: "a", data: 1 })
      .catch((caught) => caught);
    equal(LedgerProblem.is(error, "stream-not-found"), true);
  });
  await check("an abort rejects with its reason", async () => {
    const reason = new Error("enough");
    const error = await ledger.whoami({ signal: AbortSignal.abort(reason) }).catch((e) => e);
    equal(error === reason, true);
  });
  await check("numbers beyond 2^53 survive as text", async () => {
    const exact = new EventLedger({ url, apiKey, numbers: "text" }).stream(name);
    await exact.publish({ key: "big", data: rawJson("9007199254740993") });
    for await (const { data } of exact.read({ key: "big" })) equal(data, "9007199254740993");
  });
  await check("onRequest reports each attempt", async () => {
    if (requests.length < 10) throw new Error(`${requests.length} requests`);
  });
  return passed;
}

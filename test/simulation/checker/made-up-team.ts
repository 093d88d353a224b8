import type { Delivered, Line } from "./history.ts";
import { collectLines } from "./made-up-lines.ts";

const LIFE = "a";
const UID = "u";

type Row = { readonly generation: number; readonly next: number; readonly token: number };

/**
 * Returns a correct history of two workers that share a subscription. The first parks a key, which
 * is retried, parked again at a later failure, and skipped there. The first worker leaves, the
 * second takes over, and the first commits too late. Then the filter changes, and an earlier page
 * is committed.
 */
export function makeTeam(): Line[] {
  const { lines, add, batchTimes } = collectLines();
  let calls = 0;
  const call = (asked: object, answered: object): void => {
    const head = { process: "w", call: ++calls };
    add({ type: "invoke", ...head, ...asked });
    add({ type: "ok", ...head, ...asked, ...answered });
  };
  const publish = (n: number, key: string): void => {
    const events = [{ n, key }];
    const head = { process: "p", call: ++calls, op: "publish" };
    add({ type: "invoke", ...head, stream: "orders", events });
    add({
      type: "info",
      op: "batch",
      partition: 0,
      life: LIFE,
      first: n,
      seen: true,
      events,
      ...batchTimes(),
    });
    add({ type: "ok", ...head, sequences: [n] });
  };
  const row = (of: Row, owner?: string): void => {
    const held = owner === undefined ? {} : { owner };
    add({
      type: "info",
      op: "offset",
      life: LIFE,
      subscription: UID,
      partition: 0,
      ...of,
      ...held,
    });
  };
  const receive = (
    worker: string,
    token: number,
    numbers: readonly number[],
    generation = 1,
  ): void => {
    const events = numbers.map((n): Delivered => [n, n]);
    call(
      { op: "receive", team: "t", worker },
      { life: LIFE, uid: UID, generation, events, tokens: [token] },
    );
  };
  const processed = (...events: readonly number[]): void =>
    add({ type: "info", op: "processed", team: "t", life: LIFE, events });
  const settled = (worker: string, to: number, token: number, generation = 1): object => {
    return { op: "settle", team: "t", worker, generation, to: [to], tokens: [token] };
  };
  const refuse = (asked: object, code: string): void => {
    const head = { process: "w", call: ++calls };
    add({ type: "invoke", ...head, ...asked });
    add({ type: "fail", ...head, op: "settle", code });
  };
  const key = { team: "t", key: "k1" };
  publish(1, "k1");
  publish(2, "l");
  publish(3, "k1");
  publish(4, "k1");
  row({ generation: 1, next: 1, token: 1 }, "w1");
  receive("w1", 1, [1, 2]);
  call({ op: "park", ...key, sequence: 1 }, {});
  processed(2);
  row({ generation: 1, next: 3, token: 1 }, "w1");
  call(settled("w1", 3, 1), { stale: false });
  receive("w1", 1, []);
  row({ generation: 1, next: 5, token: 1 }, "w1");
  call(settled("w1", 5, 1), { stale: false });
  call({ op: "retry", ...key }, {});
  receive("w1", 1, [1, 3, 4]);
  processed(1);
  call({ op: "park", ...key, sequence: 3 }, {});
  call({ op: "skip", ...key, sequence: 3 }, {});
  receive("w1", 1, [4]);
  processed(4);
  publish(5, "k1");
  row({ generation: 1, next: 5, token: 1 });
  call({ op: "leave", team: "t", worker: "w1" }, {});
  row({ generation: 1, next: 5, token: 2 }, "w2");
  receive("w2", 2, [5]);
  refuse(settled("w1", 6, 1), "lease-lost");
  processed(5);
  row({ generation: 2, next: 5, token: 2 }, "w2");
  call({ op: "settings", team: "t", keyPrefix: "k" }, {});
  receive("w2", 2, [5], 2);
  refuse(settled("w2", 6, 2), "invalid-cursor");
  add({ type: "info", op: "healed" });
  add({ type: "info", op: "drained", team: "t", life: LIFE });
  return lines;
}

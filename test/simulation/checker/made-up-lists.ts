import type { EventRef, Line } from "./history.ts";
import { collectLines } from "./made-up-lines.ts";

const LIFE = "a";

/**
 * Returns a correct history of a client that lists all keys in two parts, reads on, and later lists
 * what has changed. A subscription delivers the same changes to another client.
 */
export function makeLists(): Line[] {
  const { lines, add, batchTimes } = collectLines();
  let calls = 0;
  const call = (asked: object, answered: object): void => {
    const head = { process: "c", call: ++calls };
    add({ type: "invoke", ...head, stream: "orders", ...asked });
    add({ type: "ok", ...head, ...asked, life: LIFE, ...answered });
  };
  const publish = (n: number, key: string, dead = false): void => {
    const events: EventRef[] = [dead ? { n, key, dead } : { n, key }];
    const head = { process: "p", call: ++calls, op: "publish" };
    add({ type: "invoke", ...head, stream: "orders", events });
    const batch = { op: "batch", partition: 0, life: LIFE, first: n, seen: true };
    add({ type: "info", ...batch, events, ...batchTimes() });
    add({ type: "ok", ...head, sequences: [n] });
  };
  const page = (list: string, place: object, numbers: readonly number[], follow: number): void =>
    call(
      { op: "list", list, part: 0, page: 0, ...place },
      { events: numbers.map((n) => [n, n]), follow: [follow] },
    );
  const read = (session: string, asked: object, answered: object): void => {
    const settings = { caughtUp: false, consistent: true, phase: "log" };
    call({ op: "read", session, ...asked }, { ...settings, ...answered });
  };
  publish(1, "a");
  publish(2, "b");
  publish(3, "c");
  publish(4, "b", true);
  page("l1", {}, [], 5);
  page("l1", { part: 1 }, [1], 5);
  publish(5, "c");
  // The state of "c" was overwritten before this part was read.
  page("l1", { part: 2 }, [], 5);
  add({ type: "info", op: "listed", list: "l1", session: "after l1" });
  read("after l1", { after: [5] }, { events: [[5, 5]], to: [6] });
  publish(6, "c", true);
  publish(7, "d");
  const since = { life: LIFE, at: [6] };
  page("l2", { since }, [6], 8);
  page("l2", { since, page: 1 }, [7], 8);
  add({ type: "info", op: "listed", list: "l2", session: "after l2" });
  publish(8, "a");
  const of = { subscription: "u", generation: 1 };
  add({ type: "info", op: "since", session: "s", positions: [6] });
  const snapshot = { ...of, phase: "bootstrap", consistent: false };
  const changes = [
    [6, 6],
    [7, 7],
  ];
  read("s", {}, { ...snapshot, events: changes, to: [8] });
  read("s", { after: [8] }, { ...of, events: [[8, 8]], to: [9], caughtUp: true });
  return lines;
}

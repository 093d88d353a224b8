import type { Corruption } from "./corruptions.ts";
import type { Line } from "./history.ts";

/**
 * Returns a correct history of a key. Its holder may read and publish keys that begin with `key-1`.
 * It does so, is refused everything else, and is refused completely once the key is revoked.
 */
export function makeAccess(): Line[] {
  const lines: Line[] = [];
  let atMs = 0;
  let calls = 0;
  const add = (line: object): void => {
    lines.push({ process: "h", atMs: ++atMs, ...line } as Line);
  };
  const call = (asked: object, answered: object): void => {
    const head = { call: ++calls, holder: "h", stream: "orders" };
    add({ type: "invoke", ...head, ...asked });
    add({ type: "ok", ...head, ...asked, ...answered });
  };
  const rights = { scopes: ["read", "consume"], streams: ["ord*"], keyPrefix: "key-1" };
  call({ op: "grant", ...rights, subscriptions: ["h-*"] }, {});
  const browse = { op: "ask", what: "browse", needs: ["read"] };
  const poll = { op: "ask", what: "poll", needs: ["consume"] };
  call({ ...browse, keys: ["key-1"] }, { seen: ["key-1"] });
  call({ ...poll, subscription: "h-1" }, { seen: ["key-1", "h-1"] });
  const refused = { type: "fail", code: "forbidden", seen: [] };
  call({ ...browse, keys: ["key-2"] }, refused);
  call({ ...poll, subscription: "team-1" }, { ...refused, code: "subscription-not-found" });
  call({ op: "ask", what: "seek", needs: ["operate"], subscription: "h-1" }, refused);
  call({ op: "revoke" }, {});
  atMs += 40_000;
  call(browse, { type: "fail", code: "unauthorized", seen: [] });
  return lines;
}

/** Returns the history with the answers to some requests replaced. */
const answered = (fits: (line: Line) => boolean, to: object): Line[] => {
  const calls = new Set<number>();
  return makeAccess().map((line) => {
    if (line.type === "invoke" && fits(line)) calls.add(line.call);
    const isAnswer = line.type !== "invoke" && line.type !== "info" && calls.has(line.call);
    return isAnswer ? ({ ...line, ...to } as Line) : line;
  });
};

const asks = (what: string, named?: string) => (line: Line) =>
  line.type === "invoke" &&
  line.op === "ask" &&
  line.what === what &&
  (named === undefined || line.subscription === named || line.keys?.includes(named) === true);

/** Ways to corrupt the history of a bounded key. */
export const ACCESS_CORRUPTIONS: readonly Corruption[] = [
  {
    name: "overreach",
    how: "a page shows a key outside the prefix",
    spoil: () => answered(asks("browse", "key-1"), { seen: ["key-1", "key-2"] }),
  },
  {
    name: "overreach",
    how: "a refusal shows a key outside the prefix",
    spoil: () => answered(asks("browse", "key-2"), { seen: ["key-3"] }),
  },
  {
    name: "overreach",
    how: "a subscription is read that the key does not cover",
    spoil: () => answered(asks("poll", "team-1"), { type: "ok" }),
  },
  {
    name: "overreach",
    how: "something is done without its scope",
    spoil: () => answered(asks("seek"), { type: "ok", seen: [] }),
  },
  {
    name: "barred",
    how: "what the key covers is refused",
    spoil: () => answered(asks("poll", "h-1"), { type: "fail", code: "forbidden", seen: [] }),
  },
  {
    name: "revoked-key",
    how: "a page is answered long after the key was revoked",
    spoil: () => answered((line) => asks("browse")(line) && line.atMs > 40_000, { type: "ok" }),
  },
];

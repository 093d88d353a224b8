import type { Report } from "./chains.ts";
import type { Failed, Invoke, Line, Ok, Rights } from "./history.ts";

/** An API key, as its holder knows it. */
type Holder = Rights & {
  readonly grantedAtMs: number;
  revokedAtMs: number | undefined;
  /**
   * True if the rights may be uncertain: a revocation was sent, or a restore has undone the key's
   * creation.
   */
  isDoubtful: boolean;
};

type Asked = Invoke & { readonly op: "ask" | "publish" };

/** A revocation takes effect in every process within this time. */
const REVOKED_MS = 30_000;
/** Keys expire after 90 days. Clocks differ by some hours. */
const EXPIRY_MS = 89 * 24 * 3_600_000;

/**
 * Checks the answers to API keys with bounded rights: they get everything that they cover, nothing
 * else, and nothing at all once they are revoked.
 */
export function checkAccess(lines: readonly Line[], report: Report): void {
  const holders = new Map<string, Holder>();
  const calls = new Map<number, Invoke>();
  for (const line of lines) {
    if (line.type === "invoke") {
      calls.set(line.call, line);
      const holder = line.op === "revoke" ? holders.get(line.holder) : undefined;
      if (holder !== undefined) holder.isDoubtful = true;
    } else if (line.type !== "info") {
      const invoke = calls.get(line.call);
      if (invoke !== undefined) end(holders, report, invoke, line);
    } else if (line.op === "restored") {
      for (const holder of holders.values()) {
        holder.isDoubtful = true;
        holder.revokedAtMs = undefined;
      }
    }
  }
}

function end(
  holders: Map<string, Holder>,
  report: Report,
  invoke: Invoke,
  line: Ok | Failed,
): void {
  const { atMs } = line;
  if (invoke.op === "grant" && line.type === "ok") {
    const fresh = { grantedAtMs: atMs, revokedAtMs: undefined, isDoubtful: false };
    holders.set(invoke.holder, { ...invoke, ...fresh });
  } else if (invoke.op === "revoke" && line.type === "ok") {
    const holder = holders.get(invoke.holder);
    if (holder !== undefined) holder.revokedAtMs ??= atMs;
  } else if (invoke.op === "ask" || (invoke.op === "publish" && invoke.holder !== undefined)) {
    const holder = holders.get(invoke.holder ?? "");
    if (holder !== undefined) checkAnswer(report, holder, invoke, line);
  }
}

function checkAnswer(report: Report, holder: Holder, invoke: Asked, line: Ok | Failed): void {
  const { atMs } = line;
  const what = `${invoke.op === "ask" ? invoke.what : "publish"} ${invoke.call} of ${invoke.holder}`;
  const seen = (line.op === "ask" || line.type === "fail") && "seen" in line ? line.seen : [];
  const shown = (seen ?? []).filter((name) => !mayBeShown(holder, name));
  if (shown.length > 0) report("overreach", atMs, `${what} shows ${shown}`);
  if (line.type === "ok") {
    if (mayDo(holder, invoke) === false) report("overreach", atMs, `${what} was done`);
    const { revokedAtMs = Infinity } = holder;
    if (invoke.atMs > revokedAtMs + REVOKED_MS) {
      report("revoked-key", atMs, `${what}, ${Math.round(atMs - revokedAtMs)} ms after it`);
    }
  } else if (REFUSED.has(line.code)) {
    const isValid = !holder.isDoubtful && atMs - holder.grantedAtMs < EXPIRY_MS;
    if (isValid && mayDo(holder, invoke) === true) report("barred", atMs, `${what}: ${line.code}`);
  }
}

const REFUSED = new Set(["forbidden", "unauthorized"]);

/**
 * Returns whether rights cover a request. Returns undefined when it depends on the settings of
 * others.
 */
function mayDo(holder: Holder, invoke: Asked): boolean | undefined {
  const { scopes, streams, subscriptions = ["*"], keyPrefix = "" } = holder;
  const needs = invoke.op === "ask" ? invoke.needs : ["publish"];
  if (!needs.some((scope) => scopes.includes(scope))) return false;
  if (!streams.some((glob) => covers(glob, invoke.stream))) return false;
  if (invoke.op === "publish") return invoke.events.every(({ key }) => key.startsWith(keyPrefix));
  const isBound = keyPrefix !== "" || !subscriptions.includes("*");
  if (invoke.whole === true && isBound) return false;
  if (invoke.keys?.some((key) => !key.startsWith(keyPrefix))) return false;
  const { subscription } = invoke;
  if (subscription === undefined) return true;
  if (!subscriptions.some((glob) => covers(glob, subscription))) return false;
  // With a prefix, a subscription exists for the key if its filter is within the prefix. A holder's
  // own subscriptions are.
  const isOwn = subscription.startsWith(`${invoke.holder}-`);
  return keyPrefix === "" || isOwn ? true : undefined;
}

/**
 * Returns whether a name may be shown. Event keys are named `key-…`, and every other name is of a
 * subscription.
 */
function mayBeShown({ keyPrefix = "", subscriptions = ["*"] }: Holder, name: string): boolean {
  if (name.startsWith("key-")) return name.startsWith(keyPrefix);
  return subscriptions.some((glob) => covers(glob, name));
}

const covers = (glob: string, name: string): boolean =>
  glob.endsWith("*") ? name.startsWith(glob.slice(0, -1)) : name === glob;

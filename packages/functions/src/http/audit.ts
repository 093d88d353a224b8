import { type AuditEntry, type Caller, isRoot, type Ledger, LedgerError } from "@eventledger/core";
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "./env.ts";
import type { LogFailure } from "./problem.ts";

type AuditDeps = { readonly ledger: Pick<Ledger, "audit">; readonly logFailure: LogFailure };

/**
 * Gives routes the means to record their calls, and records the calls that keys have no right to.
 */
export const auditCalls =
  ({ ledger: { audit }, logFailure }: AuditDeps): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const { caller, requestId } = c.var;
    if (caller === undefined) return next();
    const record = (entry: Promise<void>): Promise<void> =>
      entry.catch((error: unknown) => logFailure({ requestId, error }));

    c.set("act", async (of, run) => {
      const { tenant } = caller;
      const call = audit.newCall();
      const { target, request, repairs = false, made = () => target } = of;
      const entry = { call, ...whoAsks(c, caller), target, request };
      if (!repairs) await audit.begin(tenant, { ...entry, outcome: "begun" });
      try {
        const result = await run();
        const end = { ...entry, target: made(result), outcome: "done" } as const;
        await record(audit.append(tenant, repairs ? end : withoutRequest(end)));
        return result;
      } catch (error) {
        const end = { ...entry, ...endOf(error) };
        await record(audit.append(tenant, repairs ? end : withoutRequest(end)));
        throw error;
      }
    });
    await next();
    if (c.var.problem !== "forbidden" && c.var.denied !== true) return;
    const target = c.req.path.slice(0, TARGET_CHARS_MAX).toWellFormed();
    await record(audit.deny(caller.tenant, { ...whoAsks(c, caller), target }));
  };

/** The key of an event has at most 512 bytes, and a character up to four. */
const TARGET_CHARS_MAX = 128;

function whoAsks(c: Context<AppEnv>, caller: Caller) {
  const { operationId: action = "unknown", requestId } = c.var;
  return { actor: actorOf(caller), action, requestId };
}

/** Returns who acts, as audit entries name it. */
const actorOf = (caller: Caller): string => {
  if (caller.portal !== undefined) return `token:${caller.portal.id}`;
  return isRoot(caller) ? "operator" : `key:${caller.keyId}`;
};

/** The begin of the call has the request. */
const withoutRequest = ({ request: _, ...entry }: AuditEntry): AuditEntry => entry;

const UNCERTAIN: ReadonlySet<string> = new Set(["outcome-unknown", "store-unavailable"]);

function endOf(error: unknown): Pick<AuditEntry, "outcome" | "problem"> {
  const problem = error instanceof LedgerError ? error.code : "internal";
  const isKnown = error instanceof LedgerError && !UNCERTAIN.has(problem);
  return { outcome: isKnown ? "refused" : "unknown", problem };
}

import type { Caller, Ledger, StoredEvent } from "@eventledger/core";
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "./env.ts";

type Counting = { readonly ledger: Pick<Ledger, "noteUse" | "flushUse"> };

/** Counts the requests of API keys. A refused request counts for its key, but for no stream. */
export const countUse =
  ({ ledger }: Counting): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    await next();
    const caller: Caller | undefined = c.var.caller;
    if (caller === undefined) return;
    const stream = c.res.status < 400 ? c.req.param("stream") : undefined;
    ledger.noteUse(userOf(caller, stream), { requests: 1 });
    await ledger.flushUse();
  };

/** Returns the user of a stream, for counting. */
export const userOf = ({ tenant, keyId }: Caller, stream = "-") => ({ tenant, keyId, stream });

/** Counts the events of an answer. */
export function noteDelivered(
  { var: { caller } }: Context<AppEnv>,
  { ledger }: Counting,
  stream: string,
  events: readonly Pick<StoredEvent, "data">[],
): void {
  if (events.length === 0) return;
  const deliveredBytes = events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
  ledger.noteUse(userOf(caller, stream), { delivered: events.length, deliveredBytes });
}

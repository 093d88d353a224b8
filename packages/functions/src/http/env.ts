import type { Ledger } from "@eventledger/core";
import type { Caller } from "./auth.ts";

/** What the middlewares have found out about a request. */
export type AppEnv = { Variables: { requestId: string; caller: Caller } };

export type RouteDeps = { readonly ledger: Ledger };

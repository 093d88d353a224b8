import type { Caller, Ledger } from "@eventledger/core";
import type { ProblemCode } from "@eventledger/protocol";

/** What the middlewares have found out about a request. */
export type AppEnv = { Variables: { requestId: string; caller: Caller; problem?: ProblemCode } };

export type RouteDeps = { readonly ledger: Ledger };

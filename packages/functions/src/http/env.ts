import type { Caller, Ledger } from "@eventledger/core";
import type { ProblemCode } from "@eventledger/protocol";

/** What the middlewares have found out about a request. */
export type AppEnv = {
  Variables: {
    requestId: string;
    caller: Caller;
    /** Throws for a subscription that does not exist for a caller bound by a key prefix. */
    assertReaches: AssertReaches;
    problem?: ProblemCode;
  };
};

export type AssertReaches = (caller: Caller, stream: string, subscription: string) => Promise<void>;

export type RouteDeps = { readonly ledger: Ledger };

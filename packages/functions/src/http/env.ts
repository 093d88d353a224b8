import type { Caller, Ledger, LedgerError } from "@eventledger/core";
import type { ProblemCode } from "@eventledger/protocol";
import type { Answered } from "../metrics/request-log.ts";

/** What the door that a request came in by knows of it, where a fetch `Request` cannot say so. */
export type Door = {
  /** Why it may mean something else than what arrived: it is answered with that. */
  readonly refusal?: LedgerError | undefined;
  /**
   * Lets the client send the body that it holds back until it is asked for
   * (`Expect: 100-continue`). Absent when the body comes by itself.
   */
  readonly proceed?: () => void;
  /** Called with the log entry of the request once it is answered. */
  readonly report?: (answered: Answered) => void;
};

/** What the middlewares have found out about a request. */
export type AppEnv = {
  Bindings: Door;
  Variables: {
    requestId: string;
    caller: Caller;
    /** Throws for a subscription that does not exist for a caller bound by a key prefix. */
    assertReaches: AssertReaches;
    problem?: ProblemCode;
    /** The client has been asked for a body that it held back. */
    proceeded?: boolean;
  };
};

export type AssertReaches = (caller: Caller, stream: string, subscription: string) => Promise<void>;

export type RouteDeps = { readonly ledger: Ledger };

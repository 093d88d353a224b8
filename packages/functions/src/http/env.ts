import type { Caller, Ledger, LedgerError } from "@eventledger/core";
import type { ProblemCode } from "@eventledger/protocol";
import type { Answered } from "../metrics/request-log.ts";

/** What the entry point of a request knows about it and a fetch `Request` cannot carry. */
export type Door = {
  /** Why it may mean something else than what arrived: it is answered with that. */
  readonly refusal?: LedgerError | undefined;
  /**
   * Lets the client send the body that it holds back until the server asks for it (`Expect:
   * 100-continue`). Absent when the client sends the body unasked.
   */
  readonly proceed?: () => void;
  /** Called with the log entry of the request once it is answered. */
  readonly report?: (answered: Answered) => void;
};

/** The facts about a request that the middlewares have established. */
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

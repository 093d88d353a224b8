import type { Caller, Ledger, LedgerError } from "@eventledger/core";
import type { ProblemCode } from "@eventledger/protocol";
import type { Answered } from "../metrics/request-log.ts";
import type { Act } from "./audit.ts";

/** What the entry point knows about a request and a fetch `Request` cannot carry. */
export type Door = {
  /** The problem to answer with, when the entry point found the request ambiguous. */
  readonly refusal?: LedgerError | undefined;
  /**
   * Tells the client to send the body that it holds back until the server asks (`Expect:
   * 100-continue`). Absent when the client sends the body without being asked.
   */
  readonly proceed?: () => void;
  /**
   * How long an event stream may last here, in milliseconds. Absent when the entry point sends only
   * whole answers.
   */
  readonly streamsForMs?: number;
  /** Called with the log entry of the request once the request is answered. */
  readonly report?: (answered: Answered) => void;
};

/** The facts about a request that the middlewares have established. */
export type AppEnv = {
  Bindings: Door;
  Variables: {
    requestId: string;
    caller: Caller;
    /** Throws for a subscription that a caller bound to a key prefix must not see. */
    assertReaches: AssertReaches;
    /** Throws once the caller's key is revoked or has expired. For answers that take long. */
    recheck: () => Promise<void>;
    /** The `operationId` of the route. */
    operationId: string;
    /** Records a call of administration in the audit stream, and carries it out. */
    act: Act;
    /** True once the key was found to lack a right, whatever the answer tells. */
    denied?: boolean;
    problem?: ProblemCode;
    /** True once the client has been asked for a body that it held back. */
    proceeded?: boolean;
  };
};

export type AssertReaches = (caller: Caller, stream: string, subscription: string) => Promise<void>;

export type RouteDeps = { readonly ledger: Ledger };

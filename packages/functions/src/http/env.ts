import type { Caller, Ledger, LedgerError } from "@eventledger/core";
import type { ProblemCode } from "@eventledger/protocol";
import type { Answered } from "../metrics/request-log.ts";

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
    /**
     * Throws for a stream whose life the caller's portal token does not name, and for a
     * subscription that a caller bound to a key prefix must not see.
     */
    assertReaches: AssertReaches;
    /** Throws once the caller's key is revoked or has expired. For answers that take long. */
    recheck: () => Promise<void>;
    /** The `operationId` of the route. */
    operationId: string;
    /** Records a call of administration in the audit stream, and carries it out. */
    act: Act;
    /** True once the key was found to lack a right, whatever the answer says. */
    denied?: boolean;
    problem?: ProblemCode;
    /** True once the client has been asked for a body that it held back. */
    proceeded?: boolean;
  };
};

/** A call of administration. */
type Acting<T> = {
  /** The path of what the call concerns. */
  readonly target: string;
  /** The request: the body and the query. It must contain no secret. */
  readonly request?: object | undefined;
  /** Returns the path of the thing that the call has created. */
  readonly made?: (result: T) => string;
  /**
   * True for repairs, which may have to run while the audit stream cannot be written. They are
   * recorded when they have ended.
   */
  readonly repairs?: boolean;
};

/**
 * Records that a call begins, carries it out, and records how it ended. Nothing is changed unless
 * its begin is durable. The answer does not depend on the second record: a begin without an end
 * says that the end is not known.
 */
type Act = <T>(of: Acting<T>, run: () => Promise<T>) => Promise<T>;

export type AssertReaches = (
  caller: Caller,
  stream: string,
  subscription?: string,
) => Promise<void>;

export type RouteDeps = { readonly ledger: Ledger };

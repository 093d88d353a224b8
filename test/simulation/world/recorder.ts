import { LedgerError } from "../../../packages/core/src/kernel/error.ts";
import type { Invoke, Line, Mismatch, Ok } from "../checker/history.ts";

/** Applies `Omit` to each member of a union. */
type OmitEach<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export type Call = OmitEach<Invoke, "type" | "atMs" | "process" | "call">;
export type Outcome = OmitEach<Ok, "type" | "atMs" | "process" | "call">;
export type Note = OmitEach<Line & { type: "info" }, "type" | "atMs" | "process">;

export type Recorder = {
  readonly lines: Line[];
  /** How often each operation ended in which way, as `op.outcome` and `op.code`. */
  readonly counts: Map<string, number>;
  /**
   * Makes a call, and records its beginning and its end. Returns its result. If it did not succeed,
   * it returns undefined, and `failed` receives the code of the error.
   */
  record<T>(
    process: string,
    call: Call,
    run: () => Promise<T>,
    tell: (result: T) => Outcome,
    failed?: (code: string, mismatches?: readonly Mismatch[], reason?: string) => void,
  ): Promise<T | undefined>;
  note(note: Note): void;
  count(name: string): void;
};

/** Thrown when the outcome of a call is unknown: its process died or took too long. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** The codes that mean that the call may have had an effect. */
const UNKNOWN = new Set(["outcome-unknown", "no-answer"]);

/** The target of a recorder, instead of its memory. Calls are numbered after `calls`. */
export type Sink = {
  readonly calls: number;
  add(line: Line): void;
  count(name: string): void;
};

/** Returns a note as a line of the history. */
export const lineOf = (note: Note, atMs: number): Line =>
  ({ type: "info", atMs, process: "-", ...note }) as Line;

/** Creates a recorder that writes a history of calls with the times of `nowMs`. */
export function createRecorder(nowMs: () => number, sink?: Sink): Recorder {
  const lines: Line[] = [];
  const counts = new Map<string, number>();
  const add = sink?.add ?? ((line: Line) => void lines.push(line));
  const count =
    sink?.count ??
    ((name: string) => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    });
  let calls = sink?.calls ?? 0;
  return {
    lines,
    counts,
    count,
    note: (note) => add(lineOf(note, nowMs())),
    record: async (process, invoke, run, tell, failed = () => {}) => {
      const call = ++calls;
      const head = () => ({ atMs: nowMs(), process, call });
      add({ type: "invoke", ...head(), ...invoke } as Line);
      try {
        const result = await run();
        add({ type: "ok", ...head(), ...tell(result) } as Line);
        count(`${invoke.op}.ok`);
        return result;
      } catch (error) {
        const code = codeOf(error);
        const known = !UNKNOWN.has(code) && !code.startsWith("internal");
        const mismatches = mismatchesOf(error);
        const reason = reasonOf(error);
        const seen = seenIn(error);
        const answered = {
          ...(mismatches === undefined ? {} : { mismatches }),
          ...(reason === undefined ? {} : { reason }),
          ...(seen === undefined ? {} : { seen }),
        };
        add({ type: known ? "fail" : "unknown", ...head(), op: invoke.op, code, ...answered });
        count(`${invoke.op}.${code.split(":")[0]}`);
        if (reason !== undefined) count(`${invoke.op}.${code}-${reason}`);
        failed(code, mismatches, reason);
        return undefined;
      }
    },
  };
}

/** Returns the keys that did not match a publisher's expectation. */
const mismatchesOf = (error: unknown): readonly Mismatch[] | undefined =>
  error instanceof LedgerError && error.code === "sequence-mismatch"
    ? (error.facts.mismatches as readonly Mismatch[])
    : undefined;

/** Returns the names that a refusal shows to the holder of a bounded key. */
function seenIn(error: unknown): readonly string[] | undefined {
  const seen = error instanceof LedgerError ? error.facts.seen : undefined;
  return typeof seen === "string" ? seen.split(" ").filter((name) => name !== "") : undefined;
}

/** Returns the reason for which a cursor was refused. */
function reasonOf(error: unknown): string | undefined {
  const reason = error instanceof LedgerError ? error.facts.reason : undefined;
  return typeof reason === "string" ? reason : undefined;
}

function codeOf(error: unknown): string {
  if (error instanceof LedgerError) return error.code;
  if (error instanceof NoAnswer) return "no-answer";
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `internal: ${text}`;
}

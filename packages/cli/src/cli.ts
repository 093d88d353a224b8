import { findTarget, type Target } from "./connection/target.ts";
import { type Io, UsageError } from "./io.ts";
import { createOutput, type Output } from "./output/output.ts";
import type { About } from "./output/trouble.ts";
import {
  type Administration,
  administer,
  EventLedger,
  type LedgerEvent,
  LedgerProblem,
  type NewEvent,
  type RawJson,
  type RequestReport,
  rawData,
  type Stream,
} from "./sdk.ts";

/** The options that every command takes. */
export type Globals = {
  readonly json?: boolean | undefined;
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly profile?: string | undefined;
  readonly yes?: boolean | undefined;
};

/** A stream whose data is text as it was published. */
export type RawStream = Stream<NewEvent<string | undefined, RawJson | null>, RawEvent>;
export type RawEvent = LedgerEvent<undefined, RawJson>;

export type Server = {
  readonly target: Target;
  readonly admin: Administration;
  stream(name: string): RawStream;
  /** The compacted state of a key, or undefined. */
  state(stream: string, key: string, signal: AbortSignal): Promise<RawEvent | undefined>;
  /** The status of the last answer: 201 is new, and 200 already existed. */
  lastStatus(): number | undefined;
};

/** One run of the program. */
export type Cli = {
  readonly io: Io;
  readonly out: Output;
  readonly globals: Globals;
  /** The subject of the command. It decides which command an error recommends. */
  about: About;
  /** `isPatient`: a long publish keeps trying during an outage of half a minute. */
  server(options?: { readonly isPatient: boolean }): Server;
};

/** Pauses of 0.1, 0.2, 0.4 and 0.8 s, because a person waits for the answer. */
const RETRY = { attempts: 5, baseMs: 100, maxMs: 2_000 };
const PATIENT = { attempts: 12, baseMs: 100, maxMs: 5_000 };

export function createCli(io: Io, globals: Globals): Cli {
  const out = createOutput(io, globals.json);
  let opened: Server | undefined;
  const cli: Cli = {
    io,
    out,
    globals,
    about: {},
    server({ isPatient } = { isPatient: false }) {
      opened ??= connect(findTarget(globals, io), isPatient ? PATIENT : RETRY);
      cli.about = { ...cli.about, url: opened.target.url };
      return opened;
    },
  };
  return cli;
}

function connect(target: Target, retry: typeof RETRY): Server {
  let status: number | undefined;
  const connection = {
    url: target.url,
    apiKey: target.apiKey,
    retry,
    onRequest: (report: RequestReport) => {
      status = report.status ?? status;
    },
  };
  const ledger = new EventLedger({ ...connection, numbers: rawData });
  const admin = administer(connection);
  return {
    target,
    admin,
    async state(stream, key, signal) {
      try {
        const text = await admin.streams.stateText(stream, key, { signal });
        return { ...(rawData(text) as RawEvent), isDeletion: false } as RawEvent;
      } catch (error) {
        if (LedgerProblem.is(error, "key-not-found", "not-compacted")) return undefined;
        throw error;
      }
    },
    stream: (name) => ledger.stream<RawJson>(name) as RawStream,
    lastStatus: () => status,
  };
}

/** Asks on a terminal. Elsewhere the command needs --yes. */
export async function confirm({ io, globals }: Cli, question: string): Promise<boolean> {
  if (globals.yes) return true;
  if (!io.stdin.isTTY || !io.stderr.isTTY) {
    throw new UsageError(
      `${question} There is no terminal to ask on, so nothing was done.`,
      "add --yes",
    );
  }
  const { confirm: ask, isCancel } = await import("@clack/prompts");
  const answer = await ask({ message: question, initialValue: false, output: process.stderr });
  return !isCancel(answer) && answer;
}

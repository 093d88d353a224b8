import { CommanderError } from "commander";
import { Failure, UsageError } from "../io.ts";
import { LedgerProblem, LedgerUnreachable } from "../sdk.ts";
import { quoted, visible } from "./words.ts";

/** Why a command failed, the command that helps, and the exit code. */
export type Trouble = {
  readonly what: string;
  readonly help: string | undefined;
  readonly exitCode: number;
  readonly code?: string;
  readonly requestId?: string;
  readonly body?: unknown;
};

/** The subject of a command. It decides which command an error recommends. */
export type About = {
  readonly stream?: string | undefined;
  readonly subscription?: string | undefined;
  readonly command?: string | undefined;
  readonly url?: string | undefined;
  /** The key of an event. */
  readonly key?: string | undefined;
  /** Whether the subscription does not exist so far. */
  readonly isNew?: boolean | undefined;
};

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  conflict: 5,
  tryLater: 75,
  interrupted: 130,
} as const;

/** Explains an error of any kind. */
export function explain(error: unknown, about: About): Trouble {
  if (error instanceof UsageError) {
    return { what: error.message, help: error.help ?? usageOf(about), exitCode: EXIT.usage };
  }
  if (error instanceof Failure) {
    return { what: error.message, help: error.help, exitCode: error.exitCode };
  }
  if (error instanceof CommanderError) {
    const what = error.message.replace(/^error: /, "").replaceAll("\n", " ");
    return { what: sentence(what), help: usageOf(about), exitCode: EXIT.usage };
  }
  if (LedgerProblem.is(error)) return explainProblem(error, about);
  if (LedgerUnreachable.is(error)) {
    const written = error.maybeWritten ? " The request may have taken effect nevertheless." : "";
    const what = `No answer from ${about.url ?? "the server"}: ${rootOf(error)}.${written}`;
    return { what, help: "el doctor", exitCode: EXIT.tryLater, code: "unreachable" };
  }
  const what = error instanceof Error ? error.message : String(error);
  return { what: visible(what), help: undefined, exitCode: EXIT.failed };
}

function explainProblem(problem: LedgerProblem, about: About): Trouble {
  const { code, requestId, errors, body } = problem;
  const parts = errors.map(({ pointer, detail }) => `${argumentOf(pointer)} ${detail}`);
  const detail = parts.length > 0 ? `${parts.join("; ")}.` : String(body.detail ?? body.title);
  return {
    what: visible(ownWords(code, about) ?? detail),
    help: helpFor(code, about),
    exitCode: exitCodeOf(problem),
    code,
    ...(requestId === undefined ? {} : { requestId }),
    body,
  };
}

/** The server's messages name requests. These name the commands that a user knows. */
function ownWords(code: string, { stream, subscription }: About): string | undefined {
  if (code === "stream-not-found" && stream) return `There is no stream "${stream}".`;
  if (code === "subscription-not-found" && subscription) {
    return `The stream "${stream}" has no subscription "${subscription}".`;
  }
  if (code === "not-archived" && stream) return `The stream "${stream}" is not archived.`;
  if (code === "unauthorized") return "The API key is missing, wrong, expired or revoked.";
  return undefined;
}

/** The server names parts of the request by pointers such as /retentionHours or /query/from. */
const argumentOf = (pointer: string): string =>
  pointer.replace(/^\/(query|path|headers)\//, "/").slice(1) || "the request";

function exitCodeOf({ code, status, retry }: LedgerProblem): number {
  if (status === 401 || status === 403) return EXIT.notAllowed;
  if (status === 404) return EXIT.notFound;
  if (code === "invalid-request") return EXIT.usage;
  if (status === 409 || status === 412 || code === "idempotency-key-reused") return EXIT.conflict;
  if (retry === "later" || retry === "same") return EXIT.tryLater;
  return EXIT.failed;
}

function helpFor(code: string, about: About): string {
  const stream = about.stream ?? "STREAM";
  const key = quoted(about.key ?? "KEY");
  const subscription = `${stream}/${about.subscription ?? "SUBSCRIPTION"}`;
  const helps: Readonly<Record<string, string>> = {
    unauthorized: `el login ${about.url ?? ""}`.trim(),
    forbidden: "el whoami",
    "invalid-request": usageOf(about) ?? "el --help",
    "stream-not-found": "el streams ls",
    "stream-exists": `el streams info ${stream}`,
    "subscription-not-found": about.stream === undefined ? "el subs ls" : `el subs ls ${stream}`,
    "subscription-exists": `el subs info ${subscription}`,
    "api-key-not-found": "el keys ls",
    "key-not-found": `el read ${stream} --key ${key}`,
    "event-not-found": `el read ${stream}`,
    "parked-key-not-found": `el parked ls ${subscription}`,
    "not-compacted": `el read ${stream}`,
    "incompatible-schemas": `el schemas check ${stream} --help`,
    "not-archived": `el streams set ${stream} --archive 365d`,
    "retention-passed":
      about.subscription === undefined
        ? `el read ${stream} --from earliest`
        : `el subs seek ${subscription} earliest`,
    "bootstrap-expired": `el subs seek ${subscription} bootstrap`,
    "changes-passed": about.isNew
      ? `el subs create ${subscription} --start bootstrap`
      : about.subscription === undefined
        ? `el state ${stream}`
        : `el subs seek ${subscription} bootstrap`,
    "sequence-mismatch": `el state ${stream} ${key}`,
    "unexpected-answer": "el doctor",
    internal: "el doctor",
  };
  return helps[code] ?? `${about.url ?? ""}/docs/problems#${code}`;
}

const usageOf = ({ command }: About): string | undefined =>
  command === undefined ? "el --help" : `${command} --help`;

function rootOf(error: Error): string {
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const { code } = cause as { code?: unknown };
  if (code === "ECONNREFUSED") return "nothing listens there (ECONNREFUSED)";
  return rootOf(cause);
}

const sentence = (text: string): string => {
  const whole = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.?!)]$/.test(whole) ? whole : `${whole}.`;
};

import { isLoopback } from "@eventledger/functions/loopback.ts";
import { DEFAULT_DATA_FOLDER, readSettings, type Settings } from "./settings.ts";
import { type Stack, startStack } from "./stack.ts";
import { StackError } from "./stack-error.ts";
import { createTerminal } from "./terminal.ts";

/**
 * A second Ctrl-C forces the exit. npm passes a Ctrl-C on, so a signal within this time of the
 * first one counts as the same.
 */
const SAME_SIGNAL_MS = 500;

export type RunOptions = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Keeps the data in memory. The port is then a free one, unless PORT names one. */
  readonly isInMemory?: boolean;
  /** The command that the user has typed. */
  readonly command: string;
  /** What the user can do next, line by line. The default is curl. */
  readonly next?: readonly string[];
};

/**
 * Runs the stack in this process until Ctrl-C, prints what a user has to know, and ends the
 * process. Resolves once the stack is ready.
 */
export async function runStack(options: RunOptions): Promise<void> {
  const terminal = createTerminal(process.stdout, process.stderr);
  let stack: Stack | undefined;
  let askedToStopAt: number | undefined;

  const fail = (error: unknown): void => {
    if (error instanceof StackError) {
      terminal.problem(error.message.replaceAll("npm start", options.command));
    } else {
      terminal.problem("This is a defect of EventLedger:");
      console.error(error);
    }
    process.exit(1);
  };
  const stop = (): void => {
    const now = performance.now();
    if (askedToStopAt !== undefined) {
      if (now - askedToStopAt > SAME_SIGNAL_MS) process.exit(130);
      return;
    }
    askedToStopAt = now;
    // Before the stack is ready there is nothing to finish. The database ends with this process.
    if (stack === undefined) process.exit(130);
    terminal.step("Stopping");
    stack.stop().then(() => {
      terminal.line("Stopped.");
      process.exit(0);
    }, fail);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);

  try {
    const began = performance.now();
    const settings = settingsOf(options);
    stack = await startStack({
      ...settings,
      onStep: terminal.step,
      onNotice: terminal.line,
      onFatal: fail,
    });
    for (const line of describe(stack, settings, {
      ...options,
      tookMs: performance.now() - began,
    })) {
      terminal.line(line);
    }
  } catch (error) {
    fail(error);
  }

  type Described = RunOptions & { readonly tookMs: number };

  function describe({ url, adminKey }: Stack, settings: RunSettings, about: Described): string[] {
    const { bold, dim, green } = terminal;
    const seconds = (about.tookMs / 1_000).toFixed(1);
    const { dataFolder } = settings;
    // A key from the environment is the user's secret, so it is not printed: the output may be kept
    // in logs.
    const isMade = settings.adminKey === undefined;
    const key = isMade ? adminKey : "$EVENTLEDGER_ADMIN_KEY";
    const origin = isMade ? (dataFolder ? `in ${dataFolder}/admin-key` : "a new one") : "your own";
    const kept = dataFolder ? `the data stays in ${dataFolder}` : "the data is in memory";
    const [first = "", ...others] = about.next ?? curl(url, key);
    return [
      `${green("ready")} EventLedger is at ${bold(url)} ${dim(`(${seconds} s)`)}`,
      `  look  ${url}/console${isMade && !settings.authOff ? `#key=${key}` : ""}`,
      `  docs  ${url}/docs`,
      `  key   ${bold(key)}`,
      `        ${dim(origin)}`,
      `  try   ${first}`,
      ...others.map((line) => `        ${line}`),
      ...(about.next === undefined ? [demo(dataFolder)] : []),
      `  stop  Ctrl-C ${dim(`(${kept})`)}`,
      ...warnings(settings),
    ];
  }
}

type RunSettings = Omit<Settings, "dataFolder"> & { readonly dataFolder: string | undefined };

function settingsOf({ env, isInMemory }: RunOptions): RunSettings {
  if (!isInMemory) return readSettings(env);
  return { ...readSettings({ ...env, PORT: env.PORT || "0" }), dataFolder: undefined };
}

const curl = (url: string, key: string): string[] => [
  `curl ${url}/streams -H "Authorization: Bearer ${key}" \\`,
  `  -H 'Content-Type: application/json' -d '{"name":"orders"}'`,
];

const demo = (dataFolder: string | undefined): string =>
  `  or    ${dataFolder === DEFAULT_DATA_FOLDER ? "" : "EVENTLEDGER_DATA=... "}npm run demo`;

const warnings = ({ authOff, host }: RunSettings): string[] => [
  ...(authOff
    ? ["warning: EVENTLEDGER_AUTH=off: every program on this machine has all rights."]
    : []),
  ...(isLoopback(host) ? [] : [`warning: HOST=${host} lets other machines in, over plain HTTP.`]),
];

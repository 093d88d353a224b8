import { isLoopback } from "@eventledger/functions/loopback.ts";
import { DEFAULT_DATA_FOLDER, readSettings, type Settings } from "./settings.ts";
import { type Stack, startStack } from "./stack.ts";
import { StackError } from "./stack-error.ts";
import { createTerminal } from "./terminal.ts";

const terminal = createTerminal(process.stdout, process.stderr);

/**
 * A second Ctrl-C forces the exit. npm passes a Ctrl-C on, so a signal within this time of the
 * first one counts as the same.
 */
const SAME_SIGNAL_MS = 500;

let stack: Stack | undefined;
let askedToStopAt: number | undefined;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);

try {
  const began = performance.now();
  const settings = readSettings(process.env);
  stack = await startStack({
    ...settings,
    onStep: terminal.step,
    onNotice: terminal.line,
    onFatal: fail,
  });
  printReady(stack, settings, performance.now() - began);
} catch (error) {
  fail(error);
}

function fail(error: unknown): void {
  if (error instanceof StackError) {
    terminal.problem(error.message);
  } else {
    terminal.problem("This is a defect of EventLedger:");
    console.error(error);
  }
  process.exit(1);
}

function stop(): void {
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
}

function printReady({ url, adminKey }: Stack, settings: Settings, tookMs: number): void {
  const { bold, dim, green, line } = terminal;
  const seconds = (tookMs / 1_000).toFixed(1);
  line(
    `${green("ready")} EventLedger is at ${bold(url)} ${dim(`(${seconds} s)`)}, docs: ${url}/docs`,
  );
  // A key from the environment is the user's secret, so it is not printed: the output may be kept
  // in logs.
  const isMade = settings.adminKey === undefined;
  const key = isMade ? adminKey : "$EVENTLEDGER_ADMIN_KEY";
  const origin = isMade ? `${settings.dataFolder}/admin-key` : "your own";
  line(`  key   ${bold(key)} ${dim(`(${origin})`)}`);
  line(`  try   curl ${url}/streams -H "Authorization: Bearer ${key}" \\`);
  line(`          -H 'Content-Type: application/json' -d '{"name":"orders"}'`);
  const folder = settings.dataFolder === DEFAULT_DATA_FOLDER ? "" : "EVENTLEDGER_DATA=... ";
  line(`  or    ${folder}npm run demo`);
  line(`  stop  Ctrl-C ${dim(`(the data stays in ${settings.dataFolder})`)}`);
  if (settings.authOff) {
    line("warning: EVENTLEDGER_AUTH=off: every program on this machine has all rights.");
  }
  if (!isLoopback(settings.host)) {
    line(`warning: HOST=${settings.host} lets other machines in, over plain HTTP.`);
  }
}

import { StackError } from "./stack-error.ts";
import { readStartOptions, START_HELP, type StartOptions } from "./start-options.ts";

/** Returns undefined after a message about wrong arguments. */
function readArguments(): StartOptions | undefined {
  try {
    return readStartOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    console.error(`error ${error.message}`);
    process.exitCode = 1;
    return undefined;
  }
}

const asked = readArguments();
if (asked?.help) {
  console.log(START_HELP);
} else if (asked !== undefined) {
  const { runStack } = await import("./run-stack.ts");
  const { env, isInMemory } = asked;
  await runStack({ env: { ...process.env, ...env }, isInMemory, command: "npm start" });
}

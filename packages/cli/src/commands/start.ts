import { Failure } from "../io.ts";
import type { Register } from "../register.ts";

type Flags = { memory?: boolean; port?: string; data?: string };

export function startCommand({ program, act }: Register): void {
  program
    .command("start")
    .description("start EventLedger on this machine")
    .option("--memory", "keep everything in memory, until it stops")
    .option("--port <port>", "the port (PORT; default: 4000, with --memory a free one)")
    .option("--data <folder>", "the folder of the data (EVENTLEDGER_DATA; default: .eventledger)")
    .addHelpText("after", "\nExamples:\n  $ el start\n  $ el start --memory --port 4001")
    .action(
      act<Flags>(async (cli, _, { memory = false, port, data }) => {
        const { runStack } = await loadLocal();
        const env = {
          ...cli.io.env,
          ...(port === undefined ? {} : { PORT: port }),
          ...(data === undefined ? {} : { EVENTLEDGER_DATA: data }),
        };
        await runStack({ env, isInMemory: memory, command: "el start", next: NEXT });
        // Ctrl-C stops the stack, which then ends this process.
        await new Promise(() => {});
      }),
    );
}

const NEXT = ["el streams create orders", `el publish orders -k order-1 -d '{"total":42}'`];

/** The local stack is a package of its own, because it brings a store and a server. */
export async function loadLocal(): Promise<typeof import("@eventledger/local")> {
  try {
    return await import("@eventledger/local");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Failure("The local stack is not installed.", {
      help: "npm install @eventledger/local",
    });
  }
}

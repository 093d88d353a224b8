import { processIo } from "./process-io.ts";
import { runCli } from "./run.ts";

const code = await runCli(process.argv.slice(2), processIo(process));
// Idle connections and an open standard input would keep the process alive.
process.exit(code);

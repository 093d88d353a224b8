// Runs a TypeScript program: `node on-node-24.mjs <file> [arguments]`. This is plain JavaScript,
// because an old Node cannot even parse the program. It then prints one line that tells what is
// wrong.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(
    `error EventLedger needs Node 24 or newer; this is ${process.versions.node}. ` +
      "Install it from https://nodejs.org, or run npm ci again to get the project's own (Linux x64).",
  );
  process.exitCode = 1;
} else {
  // The program sees its own arguments, as if it had been started directly.
  process.argv.splice(1, 1);
  await import(pathToFileURL(resolve(process.argv[1] ?? "")).href);
}

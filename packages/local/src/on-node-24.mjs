// Runs a TypeScript program: `node on-node-24.mjs <file> [arguments]`. Plain JavaScript, so that an
// old Node, which could not even read the program, says in one line what is wrong.
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
  await import(pathToFileURL(resolve(process.argv[2] ?? "")).href);
}

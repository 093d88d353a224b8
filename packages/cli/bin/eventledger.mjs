#!/usr/bin/env node
// Plain JavaScript, because an old Node cannot even parse the program.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 && !(major === 22 && minor >= 18)) {
  console.error(`error  EventLedger needs Node 22.18 or newer; this is ${process.versions.node}.`);
  console.error("help   install it from https://nodejs.org");
  process.exitCode = 1;
} else {
  await import("../src/main.ts");
}

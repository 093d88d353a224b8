// What `npm start` runs first: plain JavaScript, so that an old Node can read it and say so.
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  console.error(
    `error EventLedger needs Node 24 or newer; this is ${process.versions.node}. ` +
      "Install it from https://nodejs.org, or run npm ci again to get the project's own (Linux x64).",
  );
  process.exitCode = 1;
} else {
  await import("./start.ts");
}

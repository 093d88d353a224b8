// Completes package-lock.json after `npm install`: npm leaves out optional packages for other
// platforms when the registry in use does not carry them, and `npm ci` then refuses the lock. Run
// it with `node .ci/complete-lock.mjs` whenever a dependency was changed; a test fails when it was
// not.
import { readFileSync, writeFileSync } from "node:fs";

const OS = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const CPU = [
  "arm64",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
  "x64",
  "arm",
];
const ALIAS = { windows: "win32", x86: "ia32", i686: "ia32", armv7: "arm", "arm-": "arm" };

/** What npm would have written of a platform package, as far as its name tells. */
export function platformOf(name) {
  const spelled = Object.entries(ALIAS).reduce((text, [from, to]) => text.replace(from, to), name);
  const os = OS.find((each) => spelled.includes(each)) ?? "linux";
  const cpu = CPU.find((each) => spelled.includes(each));
  return cpu === "wasm32" ? { cpu: ["wasm32"] } : { os: [os], ...(cpu ? { cpu: [cpu] } : {}) };
}

/** The optional packages that the lock's packages ask for and the lock does not have. */
export function missingFrom({ packages }) {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {}, dev }]) =>
    Object.entries(optionalDependencies)
      .filter(
        ([name]) => !packages[`${path}/node_modules/${name}`] && !packages[`node_modules/${name}`],
      )
      .map(([name, version]) => ({ name, version, dev })),
  );
}

if (import.meta.filename === process.argv[1]) {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const missing = missingFrom(lock);
  for (const { name, version, dev } of missing) {
    const entry = { version, ...platformOf(name), ...(dev ? { dev } : {}), optional: true };
    lock.packages[`node_modules/${name}`] = entry;
  }
  const { "": root, ...rest } = lock.packages;
  lock.packages = { "": root, ...Object.fromEntries(Object.entries(rest).sort()) };
  writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${missing.length} optional packages added to package-lock.json`);
}

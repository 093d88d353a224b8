import { readFileSync } from "node:fs";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";

/**
 * Prints the problems of the types in a tarball as JSON. It runs in a process of its own, because
 * the checker offers TypeScript sources to the conditions that test runners set.
 */
const [, , tarball = ""] = process.argv;
const data = createPackageFromTarballData(new Uint8Array(readFileSync(tarball)));
const analysis = await checkPackage(data);
console.log(JSON.stringify(analysis.types === false ? "no types" : analysis.problems));

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutant } from "./mutants.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** A copy of the product and its simulation in a separate folder. */
export type Copy = {
  readonly folder: string;
  /** Removes a rule. Throws unless its text occurs exactly once. */
  apply(mutant: Mutant): void;
  /** Restores all rules. */
  restore(): void;
  remove(): void;
};

/**
 * Returns how often the text of a mutant's rule is in the source. If it is not 1, the mutant is
 * outdated.
 */
export const countPlaces = ({ file, from }: Pick<Mutant, "file" | "from">): number =>
  readFileSync(join(ROOT, "packages/core/src", file), "utf8").split(from).length - 1;

/** Copies everything that a simulation needs. The copy imports its own packages. */
export function createCopy(): Copy {
  const folder = mkdtempSync(join(tmpdir(), "mutants-"));
  const source = join(folder, "packages/core/src");
  const copy = (path: string) =>
    cpSync(join(ROOT, path), join(folder, path), { recursive: true, dereference: false });
  for (const path of ["core", "protocol", "functions"]) copy(`packages/${path}`);
  copy("package.json");
  copy("test/simulation");
  copy("test/proof");
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@eventledger"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name === "@eventledger") continue;
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  for (const name of ["core", "protocol"]) {
    symlinkSync(join(folder, "packages", name), join(modules, "@eventledger", name));
  }
  const pristine = new Map<string, string>();
  return {
    folder,
    apply: ({ rule, file, from, to }) => {
      const path = join(source, file);
      const text = readFileSync(path, "utf8");
      const parts = text.split(from);
      if (parts.length !== 2) {
        throw new Error(`"${rule}": ${file} holds its text ${parts.length - 1} times`);
      }
      pristine.set(path, text);
      writeFileSync(path, parts.join(to));
    },
    restore: () => {
      for (const [path, text] of pristine) writeFileSync(path, text);
      pristine.clear();
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

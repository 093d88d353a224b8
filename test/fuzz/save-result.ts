import { cpus } from "node:os";
import { type Said, saveRecord } from "../proof/record.ts";
import { whereWeAre } from "../proof/where.ts";

/** Writes the result of a run, with its commit and machine, if a file is named. */
export function saveResult(path: string | undefined, said: Said, figures: object): void {
  if (!path) return;
  saveRecord(path, said, { cores: cpus().length, ...figures }, whereWeAre());
}

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Where } from "./where.ts";

/** The sentence of docs/proof.md about a run. The suite writes it together with its figures. */
export type Said = {
  /** The name of the suite as the page shows it. */
  readonly part: string;
  /** How much ran, in words. */
  readonly ran: string;
  /** What the run found, failures first. */
  readonly found: string;
};

/** Writes the sentence and figures of a run, with its commit and versions. */
export function saveRecord(path: string, said: Said, figures: object, where: Where): void {
  saveJson(path, { said, ended: new Date().toISOString(), ...where, ...figures });
}

/** Replaces the file in one step, so that an interruption leaves the old content. */
export function saveJson(path: string, content: object): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** `count(1, "seed")` is "1 seed", `count(2000, "seed")` is "2,000 seeds". */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${Math.round(number).toLocaleString("en-US")} ${number === 1 ? noun : plural}`;
}

/** Returns "no violation", or "**3 violations**" in bold so that a failure is seen. */
export function none(number: number, noun: string, plural = `${noun}s`): string {
  return number === 0 ? `no ${noun}` : `**${count(number, noun, plural)}**`;
}

/** A duration in seconds with one decimal: `seconds(2345)` is "2.3 s". */
export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

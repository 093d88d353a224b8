import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestCase } from "vitest/node";
import { type Asked, failureOf, type Session, testsOf } from "./session.ts";

/** The times of a test file, and the changes that it executes while no change is active. */
export type Measured = {
  readonly file: string;
  readonly passed: boolean;
  /** The error with which the file fails, if it fails. */
  readonly error: string | undefined;
  readonly msOf: Readonly<Record<string, number>>;
  readonly meetings: readonly Meeting[];
};

/** The changes that a test executes. With null, loading the file executes them. */
export type Meeting = {
  readonly file: string;
  readonly test: string | null;
  readonly meetings: readonly (readonly [number: number, times: number])[];
};

/** Runs every test file while no change is active. */
export async function measure(session: Session, { folder }: Asked): Promise<Measured[]> {
  const meetings = join(folder, "meetings");
  writeFileSync(meetings, "");
  const modules = await session.run({ answers: "", limits: [], meetings });
  const lines = readFileSync(meetings, "utf8").split("\n");
  const met = Map.groupBy(
    lines.flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Meeting])),
    ({ file }) => file,
  );
  return modules.map((module) => ({
    file: module.moduleId,
    passed: module.state() === "passed",
    error: failureOf(module),
    msOf: Object.fromEntries(testsOf(module).map((test) => [test.id, msOf(test)])),
    meetings: met.get(module.moduleId) ?? [],
  }));
}

const msOf = (test: TestCase): number => Math.round(test.diagnostic()?.duration ?? 0);

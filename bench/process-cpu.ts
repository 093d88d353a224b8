import { readdirSync, readFileSync } from "node:fs";

const TICK_MS = 10;

/**
 * Returns the processor time that a process and each of its descendants have taken, in
 * milliseconds, by the name of their program. It is empty where there is no /proc.
 */
export function cpuOfTree(root: number): Record<string, number> {
  const stats = readStats();
  const found: Record<string, number> = {};
  const visit = (pid: number): void => {
    const own = stats.get(pid);
    if (own === undefined) return;
    found[own.name] = (found[own.name] ?? 0) + own.cpuMs;
    for (const [child, { parent }] of stats) if (parent === pid) visit(child);
  };
  visit(root);
  return found;
}

type Stat = { readonly name: string; readonly parent: number; readonly cpuMs: number };

function readStats(): Map<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const name of list("/proc")) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : "";
    const [, program = "", rest] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
    if (rest === undefined) continue;
    const fields = rest.split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    stats.set(Number(name), { name: program, parent: Number(fields[1]), cpuMs: ticks * TICK_MS });
  }
  return stats;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A process may end at any moment. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

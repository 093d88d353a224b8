import type { Output } from "./output.ts";

/** Prints the facts about one thing, one per line. Undefined facts are left out. */
export function renderFacts(
  { style }: Pick<Output, "style">,
  facts: readonly (readonly [name: string, value: string | undefined])[],
): string {
  const known = facts.filter(([, value]) => value !== undefined && value !== "");
  const width = Math.max(...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${style("dim", name.padEnd(width))}  ${value}`).join("\n");
}

/** A whole number with its thousands apart. */
export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

/** The first column of a table is left, if it has no name. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, column) => (column === 0 && head[0] === "" ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Returns a bar chart that GitHub draws with Mermaid. */
export function chart(title: string, bars: readonly (readonly [string, number])[]): string {
  const names = bars.map(([name]) => `"${name}"`).join(", ");
  const values = bars.map(([, value]) => Math.round(value)).join(", ");
  return [
    "```mermaid",
    "xychart-beta",
    `  title "${title}"`,
    `  x-axis [${names}]`,
    `  y-axis "events/s" 0 --> ${Math.ceil(Math.max(...bars.map(([, value]) => value)) * 1.1)}`,
    `  bar [${values}]`,
    "```",
  ].join("\n");
}

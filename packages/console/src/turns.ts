/**
 * The names to ask next: those that were never asked, and then those that were asked longest ago.
 * At most `most`, and none that was asked after `before`.
 */
export function nextToAsk(
  names: readonly string[],
  askedAt: (name: string) => number | undefined,
  { before, most }: { readonly before: number; readonly most: number },
): string[] {
  const at = (name: string) => askedAt(name) ?? Number.NEGATIVE_INFINITY;
  return names
    .filter((name) => at(name) <= before)
    .toSorted((a, b) => (at(a) === at(b) ? 0 : at(a) - at(b)))
    .slice(0, most);
}

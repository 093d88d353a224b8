/**
 * Returns the names to request next: those that were never requested, then those that were
 * requested longest ago. At most `most`, and none that was requested after `before`.
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

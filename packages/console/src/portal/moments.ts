/** Returns the moment that a person has chosen in a field, or undefined. */
export function momentOf(field: string): string | undefined {
  const at = new Date(field);
  return field === "" || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

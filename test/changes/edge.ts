/** A comparison, or with its change awake the one that treats equal values the other way. */
export const edge = (isChanged: boolean, operator: string, a: number, b: number): boolean => {
  if (isChanged && a === b) return !operator.endsWith("=");
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
};

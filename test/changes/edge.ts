/**
 * Compares two numbers. When its change is active, it gives the opposite result for equal numbers.
 */
export const edge = (isChanged: boolean, operator: string, a: number, b: number): boolean => {
  if (isChanged && a === b) return !operator.endsWith("=");
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
};

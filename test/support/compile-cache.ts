const { NODE_COMPILE_CACHE } = process.env;

/**
 * The variable for a program that gets none of this process. With it, Node loads what an earlier
 * process has compiled.
 */
export const COMPILE_CACHE: Readonly<Record<string, string>> =
  NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

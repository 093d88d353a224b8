export { type RunOptions, runStack } from "./run-stack.ts";
export { DEFAULT_DATA_FOLDER } from "./settings.ts";
export { type Stack, type StackOptions, startStack } from "./stack.ts";
export { StackError } from "./stack-error.ts";
export { defaultStoreKind } from "./store-program.ts";

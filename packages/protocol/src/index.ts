export * from "./event.ts";
export * from "./limits.ts";
export * from "./problem.ts";
export * from "./stream.ts";
export * from "./subscription.ts";
export * from "./text.ts";

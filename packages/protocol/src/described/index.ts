/**
 * The schemas of answers, and of the body of a publish, which the server decodes as text. They
 * check no request. They describe the API and serve its clients. A deployed function does not load
 * them.
 */
export * from "./api-key.ts";
export * from "./cloud-event.ts";
export * from "./compacted.ts";
export * from "./event.ts";
export * from "./lag.ts";
export * from "./life.ts";
export * from "./parking.ts";
export * from "./problem.ts";
export * from "./restored.ts";
export * from "./stream.ts";
export * from "./subscription.ts";
export * from "./system.ts";
export * from "./tenant.ts";
export * from "./whoami.ts";

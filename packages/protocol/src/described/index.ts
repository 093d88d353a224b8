/**
 * The schemas of answers, and of the body of a publish, which the server decodes from text. They
 * validate no request. They describe the API in the OpenAPI document, and clients use them. A
 * deployed function does not load them.
 */
export * from "./api-key.ts";
export * from "./archive.ts";
export * from "./cloud-event.ts";
export * from "./compacted.ts";
export * from "./erasure.ts";
export * from "./event.ts";
export * from "./export.ts";
export * from "./lag.ts";
export * from "./life.ts";
export * from "./parking.ts";
export * from "./portal.ts";
export * from "./problem.ts";
export * from "./push.ts";
export * from "./quota.ts";
export * from "./restored.ts";
export * from "./schemas.ts";
export * from "./stream.ts";
export * from "./subscription.ts";
export * from "./system.ts";
export * from "./tenant.ts";
export * from "./usage.ts";
export * from "./whoami.ts";

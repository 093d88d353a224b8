import type { MiddlewareHandler } from "hono";

export const describes: boolean = false;
export const uniqueSymbol = Symbol("described");
export const resolver = (): object => ({});
export const shape = (): object => ({});
export const describeRoute = (): MiddlewareHandler => (_, next) => next();

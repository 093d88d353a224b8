import * as described from "@eventledger/protocol/described";
import { resolver } from "hono-openapi";

/**
 * What the OpenAPI document is generated with. In a Lambda bundle `#describe` resolves to
 * `describe.lambda.ts` instead: there the committed document is served, and the generator, which is
 * larger than everything else in the bundle, stays out.
 */
export { describeRoute, generateSpecs, resolver, uniqueSymbol } from "hono-openapi";

const shapes = { ...described };

/** A shape that is only described, by its name. */
export const shape = (name: keyof typeof described): object => resolver(shapes[name]);

/** Whether anybody looks at the descriptions. */
export const describes: boolean = true;

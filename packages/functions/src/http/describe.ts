/**
 * What the OpenAPI document is generated with. In a Lambda bundle `#describe` resolves to
 * `describe.lambda.ts` instead: there the committed document is served, and the generator, which is
 * larger than everything else in the bundle, stays out.
 */
export { describeRoute, generateSpecs, resolver, uniqueSymbol } from "hono-openapi";

/** Whether anybody looks at the descriptions. */
export const describes: boolean = true;

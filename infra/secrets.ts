/**
 * The secrets of a stage, set by `sst secret set <Name> <value>`. A function that links one finds
 * it sealed in its code package, never as readable text among its environment variables; only the
 * router links any.
 */

/** The key that may do everything, and makes the first API keys. */
export const adminKey = new sst.Secret("AdminKey");

/**
 * What cursors are authenticated with: one secret, or several as `<id>:<secret>` with commas
 * between. The first signs and all are accepted; cursors of one that is taken away are void.
 */
export const cursorKey = new sst.Secret("CursorKey");

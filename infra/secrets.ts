/**
 * The secrets of a stage, set by `sst secret set <Name> <value>`. A function that links a secret
 * finds it encrypted in its code package, never as readable text in its environment variables. Only
 * the router links secrets.
 */

/** The admin key. It has all rights and creates the first API keys. */
export const adminKey = new sst.Secret("AdminKey");

/**
 * The secrets that authenticate cursors: one secret, or several as `<id>:<secret>` separated by
 * commas. The first one signs, and all are accepted. Removing a secret invalidates its cursors.
 */
export const cursorKey = new sst.Secret("CursorKey");

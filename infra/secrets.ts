/**
 * The secrets of a stage, set by `sst secret set <Name> <value>`. A function that links a secret
 * finds it encrypted in its code package, never as readable text in its environment variables. Only
 * the router and the pusher link secrets.
 */

import { settings } from "./stage.ts";

/** The admin key. It has all rights and creates the first API keys. */
export const adminKey = new sst.Secret("AdminKey");

/**
 * The secrets that authenticate cursors: one secret, or several as `<id>:<secret>` separated by
 * commas. The first one signs, and all are accepted. Removing a secret invalidates its cursors.
 */
export const cursorKey = new sst.Secret("CursorKey");

/**
 * The secret from which the key is derived that encrypts the secrets of endpoints. It is
 * `undefined` in a stage that does not push. Changing it makes the stored secrets unreadable.
 */
export const pushKey = settings.push ? new sst.Secret("PushKey") : undefined;

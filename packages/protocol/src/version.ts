/**
 * The version of the wire format. It only grows, so a client that works with this version works
 * with later ones.
 */
export const API_VERSION = "1.0.0";

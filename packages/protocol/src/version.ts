/**
 * The version of the wire format. The format only grows, so a client of this version also works
 * with later ones.
 */
export const API_VERSION = "1.0.0";

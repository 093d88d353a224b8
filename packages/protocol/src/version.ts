/** Of the wire: it only grows, so a client that works with this one works with later ones. */
export const API_VERSION = "1.0.0";

/**
 * Returns whether `host` is a loopback address, which only programs on this machine can reach. The
 * host may include a port.
 */
export const isLoopback = (host: string): boolean =>
  host === "::1" || /^(localhost|\[::1\]|127(\.\d{1,3}){3})(:\d+)?$/.test(host);

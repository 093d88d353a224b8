/** True when only programs on this machine can reach a server on `host`. A port may follow. */
export const isLoopback = (host: string): boolean =>
  host === "::1" || /^(localhost|\[::1\]|127(\.\d{1,3}){3})(:\d+)?$/.test(host);

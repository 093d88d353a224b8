/** True when only programs on this machine can reach a server on `host`. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|::1|\[::1\]|127(\.\d{1,3}){3})$/.test(host);

import { createServer } from "node:net";
import { StackError, systemCode } from "./stack-error.ts";

/** Returns a loopback port that nothing listens on at this moment. */
export const findFreePort = (): Promise<number> => tryToListen("127.0.0.1", 0);

/** Throws `StackError` with a remedy when a server cannot listen on `host` and `port`. */
export async function assertPortFree(host: string, port: number): Promise<void> {
  try {
    await tryToListen(host, port);
  } catch (error) {
    throw listenError(error, host, port);
  }
}

/** Describes in one line why listening failed and what to do. */
export function listenError(error: unknown, host: string, port: number): unknown {
  switch (systemCode(error)) {
    case "EADDRINUSE":
      return new StackError(
        `Port ${port} is taken by another program. Stop it, or choose another port: ` +
          `PORT=${port < 65_535 ? port + 1 : 4_001} npm start`,
      );
    case "EACCES":
      return new StackError(
        `You have no permission to use port ${port}. Choose another port: PORT=4001 npm start`,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return new StackError(
        `HOST "${host}" is not an address of this machine. Unset it to use 127.0.0.1.`,
      );
    default:
      return error;
  }
}

function tryToListen(host: string, port: number): Promise<number> {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once("error", reject).listen(port, host, () => {
      const address = probe.address();
      const found = address === null || typeof address === "string" ? port : address.port;
      probe.close(() => resolve(found));
    });
  });
}

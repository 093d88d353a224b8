import { connect, type Socket } from "node:net";

/** A connection that publishes one request after another. */
export type Publisher = {
  /**
   * Sends a body repeatedly until it is answered with 201. An overloaded store answers 503 or 504.
   */
  publish(body: string): Promise<void>;
  close(): void;
};

/**
 * Opens a connection that publishes to a stream. It writes HTTP itself, because on a small machine
 * an HTTP client would take the CPU that the server needs.
 */
export function openPublisher(url: string, apiKey: string, stream: string): Publisher {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setNoDelay(true);
  return {
    async publish(body) {
      const head = [
        `POST /streams/${stream}/events HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        `Authorization: Bearer ${apiKey}`,
        "Content-Type: application/json",
        `Content-Length: ${Buffer.byteLength(body)}`,
      ];
      for (let answer = ""; !answer.startsWith("HTTP/1.1 201"); ) {
        socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
        answer = await answered(socket);
        if (!/^HTTP\/1.1 (201|50[34])/.test(answer)) throw new Error(answer.slice(0, 500));
      }
    },
    close: () => socket.end(),
  };
}

const answered = (socket: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    let received = "";
    const take = (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (!isWhole(received)) return;
      socket.off("data", take).off("error", reject);
      resolve(received);
    };
    socket.on("data", take).on("error", reject);
  });

function isWhole(response: string): boolean {
  const headEnd = response.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(response.slice(0, headEnd))?.[1];
  if (length === undefined) return response.endsWith("0\r\n\r\n");
  return response.length >= headEnd + 4 + Number(length);
}

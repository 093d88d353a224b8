import { randomUUID } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough, type Readable } from "node:stream";
import type { HttpEvent, HttpHead } from "../../packages/functions/src/lambda/http-event.ts";
import type {
  StreamedContext,
  StreamedHandler,
  StreamingRuntime,
} from "../../packages/functions/src/lambda/streamed.ts";

/** What a Function URL receives of a streaming call. */
export type Streamed = { readonly head: HttpHead; readonly body: Readable };

export type Runtime = {
  /**
   * Calls the handler. Resolves once the head has arrived, and rejects when the call fails before
   * that. A failure after it destroys the body.
   */
  call(handler: StreamedHandler, event: HttpEvent): Promise<Streamed>;
  stop(): Promise<void>;
};

/**
 * The global `awslambda` of Lambda's Node runtime, after
 * https://github.com/aws/aws-lambda-nodejs-runtime-interface-client. The head is put before the
 * first bytes that are written, whatever these are.
 */
export const awslambda: StreamingRuntime = {
  streamifyResponse: (handler) => handler,
  HttpResponseStream: {
    from(stream, head) {
      const of = stream as RuntimeStream;
      of.setContentType("application/vnd.awslambda.http-integration-response");
      of._onBeforeFirstWrite = (write) => {
        write(JSON.stringify(head));
        write(new Uint8Array(8));
      };
      return of;
    },
  },
};

type RuntimeStream = NodeJS.WritableStream & {
  setContentType(type: string): void;
  _onBeforeFirstWrite?: (write: (bytes: string | Uint8Array) => void) => void;
};

/**
 * Starts the service to which a streaming function sends its answer: one request in chunks, as to
 * Lambda's Runtime API. A call ends after `timeoutMs`.
 */
export async function startRuntime({ timeoutMs = 89_000 } = {}): Promise<Runtime> {
  const waiting = new Map<string, (streamed: Streamed) => void>();
  const server = http.createServer((incoming, outgoing) => {
    incoming.once("end", () => outgoing.writeHead(202).end());
    splitAnswer(incoming, (streamed) => waiting.get(incoming.url ?? "")?.(streamed));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    call(handler, event) {
      const path = `/${randomUUID()}`;
      return new Promise((resolve, reject) => {
        let body: Readable | undefined;
        waiting.set(path, (streamed) => {
          body = streamed.body;
          resolve(streamed);
        });
        const end = Date.now() + timeoutMs;
        const context: StreamedContext = {
          getRemainingTimeInMillis: () => end - Date.now(),
          callbackWaitsForEmptyEventLoop: true,
        };
        void run(handler, event, context, { port, path })
          .catch((error: Error) => (body === undefined ? reject(error) : body.destroy(error)))
          .finally(() => waiting.delete(path));
      });
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Runs one call as the runtime does. Rejects for what the runtime reports as an error. */
async function run(
  handler: StreamedHandler,
  event: HttpEvent,
  context: StreamedContext,
  to: { port: number; path: string },
): Promise<void> {
  // A connection that was kept could end while the handler works.
  const sending = http.request({ ...to, host: "127.0.0.1", method: "POST", agent: false });
  const done = new Promise<void>((resolve, reject) => {
    sending.on("error", reject);
    sending.on("response", (response) => response.resume().on("end", resolve));
  });
  done.catch(() => {});
  try {
    await handler(event, runtimeStream(sending), context);
  } catch (error) {
    sending.destroy();
    throw error;
  }
  if (!sending.writableEnded) throw new Error("Response stream is not finished.");
  if (context.callbackWaitsForEmptyEventLoop) throw new Error("The process waits for its timers.");
  await done;
}

/** The members of the request that the runtime passes on. The stream is a plain object. */
const METHODS = [
  ...["cork", "destroy", "end", "uncork"],
  ...["addListener", "emit", "listenerCount", "listeners", "off", "on", "once"],
  ...["prependListener", "removeAllListeners", "removeListener"],
] as const;
const PROPERTIES = [
  ...["destroyed", "writable", "writableFinished", "writableEnded", "writableNeedDrain"],
  ...["writableHighWaterMark", "writableLength"],
];

function runtimeStream(sending: http.ClientRequest): RuntimeStream {
  const inner = sending as unknown as Record<string, unknown>;
  let isFirst = true;
  const stream = Object.fromEntries(
    METHODS.map((name) => [name, (inner[name] as () => unknown).bind(sending)]),
  );
  for (const name of PROPERTIES) {
    Object.defineProperty(stream, name, { get: () => inner[name] });
  }
  const methods = {
    setContentType(type: string) {
      if (!isFirst) throw new Error("Cannot set content-type, too late.");
      sending.setHeader("Content-Type", type);
    },
    write(bytes: string | Uint8Array, ...rest: never[]) {
      const before = (stream as Partial<RuntimeStream>)._onBeforeFirstWrite;
      if (isFirst) before?.((first) => sending.write(first));
      isFirst = false;
      return sending.write(bytes, ...rest);
    },
    end: () => sending.end(),
  };
  return Object.assign(stream, methods) as unknown as RuntimeStream;
}

/** Reads the head of an answer, which ends with 8 NUL bytes, and passes the rest on. */
function splitAnswer(incoming: Readable, onHead: (streamed: Streamed) => void): void {
  let read = Buffer.alloc(0);
  const body = new PassThrough();
  const collect = (bytes: Buffer) => {
    read = Buffer.concat([read, bytes]);
    const end = read.indexOf(DELIMITER);
    if (end < 0) return;
    incoming.off("data", collect);
    const head = JSON.parse(read.subarray(0, end).toString()) as HttpHead;
    body.write(read.subarray(end + DELIMITER.length));
    incoming.pipe(body);
    incoming.once("error", (error) => body.destroy(error));
    onHead({ head, body });
  };
  incoming.on("data", collect);
}

const DELIMITER = Buffer.alloc(8);

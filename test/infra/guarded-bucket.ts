import http from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Statement } from "./inventory.ts";

export type GuardedBucket = {
  readonly endpoint: string;
  /** The actions that were requested and allowed so far, such as `s3:GetObject`. */
  readonly used: ReadonlySet<string>;
  close(): Promise<void>;
};

/**
 * Starts an S3 server that enforces a role's policy. It passes on requests that the statements
 * allow on their bucket, and answers any other request as AWS does without the permission.
 */
export async function guardBucket(
  emulator: string,
  allows: readonly Statement[],
): Promise<GuardedBucket> {
  const used = new Set<string>();
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request);
    const { method = "", url = "", headers } = request;
    const [action, resource] = actionOf(method, url);
    if (!isAllowed(allows, action, resource)) {
      response.writeHead(403, { "content-type": "application/xml" });
      response.end(`<Error><Code>AccessDenied</Code><Message>${action}</Message></Error>`);
      return;
    }
    used.add(action);
    // The signature covers the Host header, so the header must stay unchanged.
    const onward = http.request(`${emulator}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    onward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    used,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function actionOf(method: string, url: string): [action: string, resource: string] {
  const [, bucket = "", key = ""] = /^\/([^/?]*)\/?([^?]*)/.exec(url) ?? [];
  const object = `arn:aws:s3:::${bucket}/*`;
  if (method === "POST" && url.includes("?delete")) return ["s3:DeleteObject", object];
  if (key === "") return ["s3:ListBucket", `arn:aws:s3:::${bucket}`];
  if (method === "PUT") return ["s3:PutObject", object];
  return [method === "DELETE" ? "s3:DeleteObject" : "s3:GetObject", object];
}

const isAllowed = (allows: readonly Statement[], action: string, resource: string): boolean =>
  allows.some(
    ({ Effect, Action, Resource }) =>
      Effect === "Allow" &&
      [Action].flat().includes(action) &&
      [Resource].flat().includes(resource),
  );

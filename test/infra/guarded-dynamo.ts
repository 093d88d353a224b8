import http from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { operationsOf } from "../../packages/local/src/permit.ts";
import type { Statement } from "./inventory.ts";

export type GuardedDynamo = {
  readonly endpoint: string;
  /** The actions that were requested and allowed so far, such as `dynamodb:Query`. */
  readonly used: ReadonlySet<string>;
  close(): Promise<void>;
};

/**
 * Starts an emulator that enforces a role's policy. It executes what the statements allow on the
 * table of a request. It answers any other request like AWS without the permission.
 */
export async function guardDynamo(
  emulator: string,
  allows: readonly Statement[],
): Promise<GuardedDynamo> {
  const used = new Set<string>();
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request);
    const input = JSON.parse(body.toString());
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    const actions = operationsOf(operation, input).map((name) => `dynamodb:${name}`);
    const denied = actions.find((action) =>
      tablesOf(input).some((table) => !isAllowed(allows, action, table)),
    );
    if (denied !== undefined) {
      const problem = { __type: ACCESS_DENIED, Message: `not authorized to perform: ${denied}` };
      response.writeHead(400, { "content-type": "application/x-amz-json-1.0" });
      response.end(JSON.stringify(problem));
      return;
    }
    for (const action of actions) used.add(action);
    const { host: _, ...headers } = request.headers;
    const onward = http.request(emulator, { method: "POST", headers }, (answer) => {
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

const ACCESS_DENIED = "com.amazon.coral.service#AccessDeniedException";

type Item = { readonly TableName?: string };

/** Returns every table that a request names, or one empty name if it names none. */
function tablesOf(input: {
  TableName?: string;
  RequestItems?: Record<string, unknown>;
  TransactItems?: Record<string, Item>[];
}): string[] {
  const { TableName = "", RequestItems, TransactItems } = input;
  if (RequestItems !== undefined) return Object.keys(RequestItems);
  if (TransactItems === undefined) return [TableName];
  return TransactItems.flatMap((item) => Object.values(item).map((one) => one.TableName ?? ""));
}

const isAllowed = (allows: readonly Statement[], action: string, table: string): boolean =>
  allows.some(
    ({ Effect, Action, Resource }) =>
      Effect === "Allow" &&
      [Action].flat().includes(action) &&
      [Resource].flat().some((arn) => String(arn).endsWith(`:table/${table}`)),
  );

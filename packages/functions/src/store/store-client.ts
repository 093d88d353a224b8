import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { createTransport, type Sign, type WireRequest } from "./transport.ts";
import { OPERATIONS, printRequest, type RowOperation, readAnswer } from "./wire.ts";

type Input = Readonly<Record<string, unknown>>;
/** A command of `@aws-sdk/lib-dynamodb`. Its schema names the operation. */
type DocumentCommand = {
  readonly input: Input;
  readonly clientCommand?: { readonly schema?: readonly unknown[] };
};
type SendOptions = { readonly abortSignal?: AbortSignal };
type Args = {
  readonly input: Input;
  readonly signal?: AbortSignal | undefined;
  readonly request?: WireRequest;
};
type Handler = (args: Args) => Promise<{ readonly output: object }>;
type Middleware = (next: Handler, context: { readonly commandName: string }) => Handler;
type Placement = {
  readonly step?: keyof typeof STEPS;
  readonly priority?: keyof typeof PRIORITIES;
};
type Added = { readonly middleware: Middleware; readonly at: number };

/** The SDK's order of middlewares. Those before `serialize` see the input, the others the text. */
const STEPS = { initialize: 40, serialize: 30, build: 20, finalizeRequest: 10, deserialize: 0 };
const PRIORITIES = { high: 2, normal: 1, low: 0 };

/**
 * Creates a client of the SDK whose operations on rows take a short way: one pass over the values,
 * one signature, one request. The SDK's own way through its middlewares takes several times the CPU
 * time. Middlewares that are added to this client run on both ways, and see and return plain values
 * at the step `initialize`. All other operations go the SDK's way, with the same settings.
 * `emulated` replaces the signature for a server that checks none.
 */
export function createStoreClient(config: DynamoDBClientConfig, emulated?: Sign): DynamoDBClient {
  const client = new DynamoDBClient(config);
  const transport = createTransport(client, emulated);
  const added: Added[] = [];
  const chains = new Map<RowOperation, Handler>();
  const { add } = client.middlewareStack;
  const addHere = (middleware: Middleware, placement: Placement = {}) => {
    const { step = "initialize", priority = "normal" } = placement;
    added.push({ middleware, at: STEPS[step] + PRIORITIES[priority] });
    chains.clear();
    add(middleware as never, placement as never);
  };

  function chainOf(operation: RowOperation): Handler {
    const known = chains.get(operation);
    if (known !== undefined) return known;
    const print: Middleware = (next) => (args) =>
      next({ ...args, request: { operation, body: printRequest(operation, args.input) } });
    // The last one is the innermost. Of two at the same place, the first added is the outer one.
    const chain = [...added, { middleware: print, at: STEPS.serialize }]
      .reverse()
      .sort((a, b) => a.at - b.at)
      .reduce<Handler>(
        (next, { middleware }) => middleware(next, { commandName: `${operation}Command` }),
        sendRequest,
      );
    chains.set(operation, chain);
    return chain;
  }

  const sendRequest: Handler = async ({ request, signal }) => {
    if (request === undefined) throw new TypeError("A request must be printed before it is sent");
    const { answer, response } = await transport(request, signal);
    return { output: readAnswer(answer), response };
  };

  const standard = client.send.bind(client) as (...given: unknown[]) => Promise<unknown>;
  const send = async (command: DocumentCommand, options?: SendOptions) => {
    const operation = operationOf(command);
    if (operation === undefined) return standard(command, options);
    const args = { input: command.input, signal: options?.abortSignal };
    const { output } = await chainOf(operation)(args);
    return output;
  };
  client.middlewareStack.add = addHere as never;
  return Object.assign(client, { send });
}

const ROW_OPERATIONS: ReadonlySet<unknown> = new Set(OPERATIONS);

/** Returns the operation of a command on rows, or undefined for other commands. */
function operationOf({ clientCommand }: DocumentCommand): RowOperation | undefined {
  const name = clientCommand?.schema?.[2];
  return ROW_OPERATIONS.has(name) ? (name as RowOperation) : undefined;
}

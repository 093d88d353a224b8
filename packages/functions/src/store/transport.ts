import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type Credentials, createSigner, type Unsigned } from "./sign.ts";
import { type RowOperation, readError } from "./wire.ts";

/** An operation and its input in DynamoDB's JSON. */
export type WireRequest = { readonly operation: RowOperation; readonly body: string };

/** Returns the headers of a request, signed or as an emulator accepts them. */
export type Sign = (unsigned: Unsigned) => Record<string, string>;

type Response = {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: NodeJS.ReadableStream;
};
type RequestHandler = {
  handle(request: object, options: object): Promise<{ readonly response: Response }>;
};
type Place = Pick<URL, "protocol" | "hostname" | "host"> & { readonly port: number | undefined };

const CONTENT_TYPE = "application/x-amz-json-1.0";
/** AWS refuses a signature whose time differs by five minutes from its own. */
const SKEW_MIN_MS = 4 * 60_000;

/**
 * Returns a function that sends a request once, over the connections and with the credentials of an
 * SDK client. It resolves with the members of the answer, and throws the error that the SDK throws
 * for any other answer. When this machine's clock is wrong, the first answer corrects it.
 */
export function createTransport(client: DynamoDBClient, emulated: Sign | undefined) {
  const handler = client.config.requestHandler as unknown as RequestHandler;
  let skewMs = 0;
  let prepared: Promise<{ place: Place; sign: ReturnType<typeof createSigner> }> | undefined;

  async function prepare() {
    const region = await client.config.region();
    return { place: await placeOf(client, region), sign: createSigner(region) };
  }

  return async (
    { operation, body }: WireRequest,
    abortSignal: AbortSignal | undefined,
  ): Promise<{ answer: Record<string, unknown>; response: Response }> => {
    prepared ??= prepare();
    const { place, sign } = await prepared;
    const target = `DynamoDB_20120810.${operation}`;
    const unsigned = { host: place.host, contentType: CONTENT_TYPE, target, body };
    const headers =
      emulated === undefined
        ? sign(unsigned, await credentialsOf(client), Date.now() + skewMs)
        : emulated(unsigned);
    const request = { ...place, method: "POST", path: "/", headers, body };
    const { response } = await handler.handle(request, { abortSignal });
    const answer = parse(await collect(response.body));
    if (response.statusCode === 200 && answer !== undefined) return { answer, response };
    skewMs = correctedSkew(skewMs, response.headers.date);
    throw readError(response.statusCode, answer ?? {}, response.headers["x-amzn-requestid"]);
  };
}

const credentialsOf = ({ config }: DynamoDBClient): Promise<Credentials> => config.credentials();

async function placeOf({ config }: DynamoDBClient, region: string): Promise<Place> {
  const given = await config.endpoint?.();
  if (given !== undefined) {
    const { protocol, hostname, port } = given;
    return {
      protocol,
      hostname,
      port,
      host: port === undefined ? hostname : `${hostname}:${port}`,
    };
  }
  const configured = await configuredEndpoint(config);
  const { url } =
    configured === undefined
      ? config.endpointProvider({
          Region: region,
          UseFIPS: await config.useFipsEndpoint(),
          UseDualStack: await config.useDualstackEndpoint(),
        })
      : { url: new URL(configured) };
  const { protocol, hostname, host, port } = url;
  return { protocol, hostname, host, port: port === "" ? undefined : Number(port) };
}

/**
 * The settings that the SDK has read from `AWS_ENDPOINT_URL_DYNAMODB` and its configuration file.
 */
type Configured = {
  readonly ignoreConfiguredEndpointUrls?: boolean;
  readonly serviceConfiguredEndpoint?: () => Promise<string | undefined>;
};

async function configuredEndpoint(config: object): Promise<string | undefined> {
  const { ignoreConfiguredEndpointUrls, serviceConfiguredEndpoint } = config as Configured;
  return ignoreConfiguredEndpointUrls ? undefined : serviceConfiguredEndpoint?.();
}

/** Returns the whole text of a body. */
const collect = (body: NodeJS.ReadableStream): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body.on("data", (chunk: Buffer) => chunks.push(chunk));
    body.on("error", reject);
    body.on("end", () => resolve(textOf(chunks)));
  });

const textOf = (chunks: readonly Buffer[]): string => {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined
    ? only.toString()
    : Buffer.concat(chunks).toString();
};

/** Returns undefined for a text that is not a JSON object, such as a proxy's error page. */
function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as never) : undefined;
  } catch {
    return undefined;
  }
}

/** The difference between AWS's clock and this machine's, if it matters. */
function correctedSkew(skewMs: number, date: string | undefined): number {
  const differenceMs = Date.parse(date ?? "") - Date.now();
  return Math.abs(differenceMs - skewMs) > SKEW_MIN_MS ? differenceMs : skewMs;
}

import type { Sign } from "./store/transport.ts";

/**
 * The client settings for a DynamoDB-compatible server, besides the endpoint. Such a server does
 * not check signatures. It uses the access key and the region only as names of a database.
 * Computing a signature for each request would take a tenth of the router's CPU time. `sign` is for
 * requests that do not pass the SDK's own signer.
 */
export const emulatorAccess = (region: string) => {
  const scope = `${ACCESS_KEY}/20000101/${region}/dynamodb/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`;
  const fixed = { authorization, "x-amz-date": "20000101T000000Z" };
  const sign: Sign = ({ host, contentType, target, body }) => ({
    host,
    "content-type": contentType,
    "content-length": String(Buffer.byteLength(body)),
    "x-amz-target": target,
    ...fixed,
  });
  return {
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: ACCESS_KEY },
    signer: {
      sign: async <T>(request: T): Promise<T> => {
        const { headers } = request as { headers: Record<string, string> };
        Object.assign(headers, fixed);
        return request;
      },
    },
    sign,
  };
};

const ACCESS_KEY = "local";

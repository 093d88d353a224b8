/**
 * What a client needs besides the endpoint of a DynamoDB-compatible server. Such a server checks no
 * signature: it takes the access key and the region from it, as names of a database. To compute one
 * for each request would take a tenth of the router's CPU time.
 */
export const emulatorAccess = (region: string) => {
  const scope = `${ACCESS_KEY}/20000101/${region}/dynamodb/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`;
  return {
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: ACCESS_KEY },
    signer: {
      sign: async <T>(request: T): Promise<T> => {
        const { headers } = request as { headers: Record<string, string> };
        Object.assign(headers, { authorization, "x-amz-date": "20000101T000000Z" });
        return request;
      },
    },
  };
};

const ACCESS_KEY = "local";

import { createHmac, hash } from "node:crypto";

export type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
};

/** A request that AWS Signature Version 4 signs: a POST to `/`. */
export type Unsigned = {
  readonly host: string;
  readonly contentType: string;
  readonly target: string;
  readonly body: string;
};

const ALGORITHM = "AWS4-HMAC-SHA256";

/**
 * Returns a function that signs requests to a service in one region. The key of a day is computed
 * once. The SDK's own signer takes about ten times as long, because it signs any request of any
 * service; a test compares their signatures.
 */
export function createSigner(region: string, service = "dynamodb") {
  let keyOf = "";
  let key: Buffer = Buffer.alloc(0);

  function signingKey({ accessKeyId, secretAccessKey }: Credentials, day: string): Buffer {
    const name = `${accessKeyId} ${day}`;
    if (name !== keyOf) {
      const steps = [day, region, service, "aws4_request"];
      key = steps.reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
      keyOf = name;
    }
    return key;
  }

  /** Returns the headers of a signed request. `atMs` is the time on AWS's clock. */
  return (
    { host, contentType, target, body }: Unsigned,
    credentials: Credentials,
    atMs: number,
  ): Record<string, string> => {
    const date = new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, "");
    const day = date.slice(0, 8);
    const { accessKeyId, sessionToken } = credentials;
    const token = sessionToken === undefined ? "" : `x-amz-security-token:${sessionToken}\n`;
    const names = `content-type;host;x-amz-content-sha256;x-amz-date;${token && "x-amz-security-token;"}x-amz-target`;
    const content = hash("sha256", body);
    const canonical = `POST\n/\n\ncontent-type:${contentType}\nhost:${host}\nx-amz-content-sha256:${content}\nx-amz-date:${date}\n${token}x-amz-target:${target}\n\n${names}\n${content}`;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const text = `${ALGORITHM}\n${date}\n${scope}\n${hash("sha256", canonical)}`;
    const signature = hmac(signingKey(credentials, day), text).toString("hex");
    return {
      host,
      "content-type": contentType,
      "content-length": String(Buffer.byteLength(body)),
      "x-amz-content-sha256": content,
      "x-amz-date": date,
      "x-amz-target": target,
      ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
      authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    };
  };
}

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { createSigner } from "./sign.ts";

const region = "eu-central-1";
const host = "dynamodb.eu-central-1.amazonaws.com";
const contentType = "application/x-amz-json-1.0";
const target = "DynamoDB_20120810.PutItem";
const atMs = Date.UTC(2026, 10, 29, 7, 8, 9);

/** Signs with the SDK's own signer. */
async function signBySdk(
  body: string,
  credentials: Parameters<ReturnType<typeof createSigner>>[1],
) {
  const client = new DynamoDBClient({ region, credentials: credentials as never });
  const scheme = { name: "sigv4", schemeId: "aws.auth#sigv4", signingName: "dynamodb" };
  const signer = await client.config.signer({ ...scheme, properties: {} } as never);
  const headers = { host, "content-type": contentType, "x-amz-target": target };
  const request = { method: "POST", protocol: "https:", hostname: host, path: "/", query: {} };
  const signed = await signer.sign(
    { ...request, headers, body } as never,
    {
      signingDate: new Date(atMs),
      signingRegion: region,
      signingService: "dynamodb",
    } as never,
  );
  return (signed as unknown as { headers: Record<string, string> }).headers;
}

describe("the signature of a request", () => {
  const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG" };
  const unsigned = { host, contentType, target };

  it.each([
    ["a body", '{"TableName":"ledger"}', keys],
    ["text beyond ASCII", '{"a":"Gdańsk"}', keys],
    ["a session", "{}", { ...keys, sessionToken: "FwoGZXIvYXdzEXAMPLE" }],
  ])("is that of the SDK for %s", async (_, body, credentials) => {
    const ours = createSigner(region)({ ...unsigned, body }, credentials, atMs);
    const theirs = await signBySdk(body, credentials);
    expect(ours["x-amz-date"]).toBe(theirs["x-amz-date"]);
    expect(ours["x-amz-security-token"]).toBe(theirs["x-amz-security-token"]);
    expect(ours.authorization).toBe(theirs.authorization);
  });

  it("changes with the day and with the credentials", () => {
    const sign = createSigner(region);
    const of = (credentials: typeof keys, ms: number) =>
      sign({ ...unsigned, body: "{}" }, credentials, ms).authorization;
    const other = { ...keys, accessKeyId: "AKIDOTHER", secretAccessKey: "other" };
    const all = [of(keys, atMs), of(keys, atMs + 86_400_000), of(other, atMs), of(keys, atMs)];
    expect(new Set(all).size).toBe(3);
    expect(all[3]).toBe(all[0]);
  });

  it("gives the length of the body in bytes", () => {
    const signed = createSigner(region)({ ...unsigned, body: '"ń"' }, keys, atMs);
    expect(signed["content-length"]).toBe("4");
  });
});

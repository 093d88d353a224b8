import { Readable } from "node:stream";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createTransport } from "./transport.ts";

type Sent = {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  readonly headers: Record<string, string>;
};
type Answer = { readonly status?: number; readonly body?: string; readonly date?: string };

/** Sends one request for each answer and returns the requests and the results. */
async function exchange(answers: readonly Answer[]) {
  const sent: Sent[] = [];
  const left = [...answers];
  const client = new DynamoDBClient({
    region: "eu-west-1",
    credentials: { accessKeyId: "AKID", secretAccessKey: "secret", sessionToken: "token" },
    requestHandler: {
      handle: async (request: unknown) => {
        sent.push(request as Sent);
        const { status = 200, body = "{}", date } = left.shift() ?? {};
        const headers = { ...(date === undefined ? {} : { date }), "x-amzn-requestid": "R1" };
        return { response: { statusCode: status, headers, body: Readable.from([body]) } } as never;
      },
    } as never,
  });
  const send = createTransport(client, undefined);
  const outcomes: unknown[] = [];
  for (const _ of answers) {
    const request = { operation: "GetItem", body: "{}" } as const;
    outcomes.push(await send(request, undefined).catch((error: unknown) => error));
  }
  return { sent, outcomes };
}

afterEach(() => vi.unstubAllEnvs());

describe("the way of a request for rows", () => {
  it("leads to DynamoDB in the region of the client, signed with its session", async () => {
    const { sent } = await exchange([{}]);
    expect(sent[0]).toMatchObject({
      protocol: "https:",
      hostname: "dynamodb.eu-west-1.amazonaws.com",
      port: undefined,
      headers: {
        host: "dynamodb.eu-west-1.amazonaws.com",
        "x-amz-security-token": "token",
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\//,
        ),
      },
    });
  });

  it("leads to the endpoint that the environment names, as with the SDK", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:4567");
    const { sent } = await exchange([{}]);
    const headers = { host: "127.0.0.1:4567" };
    expect(sent[0]).toMatchObject({
      protocol: "http:",
      hostname: "127.0.0.1",
      port: 4567,
      headers,
    });
  });

  it("corrects the time of the signature after an answer of AWS's clock", async () => {
    const ahead = new Date(Date.now() + 3 * 3_600_000);
    const error = '{"__type":"com.amazon.coral.service#InvalidSignatureException"}';
    const answers = [{ status: 400, body: error, date: ahead.toUTCString() }, {}];
    const { sent, outcomes } = await exchange(answers);
    expect(outcomes[0]).toMatchObject({ name: "InvalidSignatureException", $fault: "client" });
    const date = sent[1]?.headers["x-amz-date"]?.slice(0, 11);
    expect(date).toBe(ahead.toISOString().replaceAll("-", "").slice(0, 11));
  });

  it.each([
    [500, "<html>", "HttpStatus500", "server"],
    [400, '{"__type":"x#ThrottlingException","message":"slow"}', "ThrottlingException", "client"],
    [200, "not JSON", "HttpStatus200", "client"],
  ])("an answer %i %s is the error %s", async (status, body, name, fault) => {
    const { outcomes } = await exchange([{ status, body }]);
    expect(outcomes[0]).toBeInstanceOf(Error);
    const $metadata = { httpStatusCode: status, requestId: "R1" };
    expect(outcomes[0]).toMatchObject({ name, $fault: fault, $metadata });
  });
});

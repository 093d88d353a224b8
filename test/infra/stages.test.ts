import { beforeAll, describe, expect, it } from "vitest";
import { readPortalAncestors } from "../../packages/functions/src/portal-ancestors.ts";
import { evaluate } from "./evaluate.ts";
import type { Inventory } from "./inventory.ts";

describe("a personal stage", () => {
  let alice: Inventory;
  beforeAll(async () => {
    alice = await evaluate({ stage: "alice" });
  });

  it("a personal stage can be removed with everything in it", () => {
    expect(alice.app).toMatchObject({ removal: "remove", protect: false });
    for (const one of alice.resources) {
      expect(one, one.name).toMatchObject({ protect: false, retainOnDelete: false });
    }
    expect(alice.inputs("Table").deletionProtectionEnabled).toBe(false);
  });

  it("a stage shares no name with another stage", async () => {
    const bob = await evaluate({ stage: "bob" });
    const names = ({ resources }: Inventory) =>
      resources.map(({ inputs }) => inputs.name).filter((name) => name && name !== "$default");
    expect(names(alice).length).toBeGreaterThan(20);
    expect(names(alice).filter((name) => names(bob).includes(name))).toEqual([]);
  });

  it("a stage cannot be deployed without its secrets", async () => {
    const forgotten = evaluate({ stage: "alice", secrets: { AdminKey: "a" } });
    await expect(forgotten).rejects.toThrow("sst secret set CursorKey");
  });
});

describe("sst dev", () => {
  it("sst dev makes the router live and leaves the compactor and the sweeper real", async () => {
    const live = await evaluate({ stage: "alice", dev: true });
    const runtime = (name: string) => live.inputs("Function", name).runtime;
    expect(runtime("Router")).toBe("provided.al2023");
    expect(runtime("LedgerSubscriberCompactor")).toBe("nodejs24.x");
    expect(runtime("SweeperHandler")).toBe("nodejs24.x");
  });

  it("sst dev is refused on production", async () => {
    const live = evaluate({ stage: "production", dev: true });
    await expect(live).rejects.toThrow("`sst dev` is for personal stages");
  });
});

describe("INGRESS=function-url", () => {
  let stage: Inventory;
  beforeAll(async () => {
    stage = await evaluate({
      stage: "production",
      env: {
        INGRESS: "function-url",
        WAIT_SECONDS_MAX: "20",
        CORS_ORIGINS: "https://app.example.com, http://localhost:5173",
        PORTAL_ANCESTORS: "self, https://*.shop.example",
      },
    });
  });

  it("a Function URL replaces the HTTP API", () => {
    expect(stage.inputs("FunctionUrl")).toMatchObject({
      functionName: stage.inputs("Function", "Router").name,
      authorizationType: "NONE",
      invokeMode: "RESPONSE_STREAM",
    });
    expect(stage.inputs("FunctionUrl").cors).toBeUndefined();
    expect(stage.outputs.url).toMatch(/^https:\/\/\w+\.lambda-url\.test\/$/);
    for (const kind of ["Api", "Stage", "Route", "Integration"]) {
      expect(stage.all(kind)).toEqual([]);
    }
  });

  it("a Function URL gets both permissions that a public URL needs, and no other", () => {
    const grants = stage.all("Permission").map(({ inputs }) => inputs);
    expect(grants).toEqual([
      expect.objectContaining({ action: "lambda:InvokeFunction", invokedViaFunctionUrl: true }),
      expect.objectContaining({ action: "lambda:InvokeFunctionUrl", functionUrlAuthType: "NONE" }),
    ]);
  });

  it("the alarm on server errors watches the URL", () => {
    expect(stage.inputs("MetricAlarm", "ServerErrors")).toMatchObject({
      namespace: "AWS/Lambda",
      metricName: "Url5xxCount",
      dimensions: { FunctionName: stage.inputs("Function", "Router").name },
    });
  });

  it("the router knows which web sites may call it", () => {
    expect(stage.inputs("Function", "Router").environment).toMatchObject({
      variables: { EVENTLEDGER_CORS_ORIGINS: "https://app.example.com,http://localhost:5173" },
    });
  });

  it("[portal.framed] the router knows which sites may embed the portal, as it would read them itself", async () => {
    const { variables } = stage.inputs("Function", "Router").environment as {
      variables: Record<string, string>;
    };
    const text = variables.EVENTLEDGER_PORTAL_ANCESTORS;
    expect(readPortalAncestors(text)).toEqual(["self", "https://*.shop.example"]);
    const wrong = evaluate({ stage: "alice", env: { PORTAL_ANCESTORS: "*" } });
    await expect(wrong).rejects.toThrow("PORTAL_ANCESTORS");
  });

  it("polls may wait as long as WAIT_SECONDS_MAX says", () => {
    expect(stage.inputs("Function", "Router").environment).toMatchObject({
      variables: { EVENTLEDGER_WAIT_SECONDS_MAX: "20" },
    });
  });

  it("event streams last a minute, and a call has time for the last page", () => {
    expect(stage.inputs("Function", "Router")).toMatchObject({
      timeout: 89,
      environment: { variables: { EVENTLEDGER_STREAM_SECONDS_MAX: "60" } },
    });
  });

  it("INGRESS has no other value", async () => {
    const misspelt = evaluate({ stage: "alice", env: { INGRESS: "function_url" } });
    await expect(misspelt).rejects.toThrow('it can be "http-api" (the default) or "function-url"');
  });
});

describe("WAIT_SECONDS_MAX", () => {
  it("a value is refused where the router would refuse it", async () => {
    const wrong = evaluate({ stage: "alice", env: { WAIT_SECONDS_MAX: "21" } });
    await expect(wrong).rejects.toThrow("it can be whole seconds from 0 to 20");
  });
});

describe("STREAM_SECONDS_MAX", () => {
  const FUNCTION_URL = { INGRESS: "function-url" };
  const routerOf = async (env: Record<string, string>, dev = false) => {
    const stage = await evaluate({ stage: "alice", dev, env });
    const { timeout, environment } = stage.inputs("Function", "Router");
    const { variables } = environment as { variables: Record<string, string> };
    const [url] = stage.all("FunctionUrl");
    const mode = url?.inputs.invokeMode;
    return [mode, timeout, variables.EVENTLEDGER_STREAM_SECONDS_MAX];
  };

  it("an HTTP API gets whole answers", async () => {
    expect(await routerOf({})).toEqual([undefined, 29, undefined]);
  });

  it("a Function URL streams for as long as the setting says, or not at all", async () => {
    const longest = { ...FUNCTION_URL, STREAM_SECONDS_MAX: "600" };
    expect(await routerOf(longest)).toEqual(["RESPONSE_STREAM", 629, "600"]);
    const off = { ...FUNCTION_URL, STREAM_SECONDS_MAX: "off" };
    expect(await routerOf(off)).toEqual(["BUFFERED", 29, undefined]);
  });

  it("`sst dev` gets whole answers, because its live functions cannot stream", async () => {
    const [mode, , seconds] = await routerOf(FUNCTION_URL, true);
    expect([mode, seconds]).toEqual(["BUFFERED", undefined]);
  });

  it.each(["601", "on"])("%j is refused where the router would refuse it", async (text) => {
    const wrong = evaluate({
      stage: "alice",
      env: { ...FUNCTION_URL, STREAM_SECONDS_MAX: text },
    });
    await expect(wrong).rejects.toThrow("it can be whole seconds from 10 to 600");
  });

  it("the setting is refused where answers cannot be streamed", async () => {
    const wrong = evaluate({ stage: "alice", env: { STREAM_SECONDS_MAX: "60" } });
    await expect(wrong).rejects.toThrow("STREAM_SECONDS_MAX needs INGRESS=function-url");
  });
});

describe("RESTORED_TABLE", () => {
  const RESTORED = "eventledger-restored-monday";
  let stage: Inventory;
  beforeAll(async () => {
    stage = await evaluate({ stage: "production", env: { RESTORED_TABLE: RESTORED } });
  });

  it("every function uses the restored table, and none may touch the stage's own", () => {
    for (const name of ["Router", "RestoredSubscriberCompactor", "SweeperHandler"]) {
      expect(stage.inputs("Function", name).environment, name).toMatchObject({
        variables: { TABLE_NAME: RESTORED },
      });
    }
    for (const name of ["Router", "RestoredSubscriberCompactorFunction", "SweeperHandler"]) {
      const text = JSON.stringify(stage.allows(`${name}Role`));
      expect(text, name).toContain(`table/${RESTORED}`);
      expect(text, name).not.toContain("LedgerTable");
    }
    expect(stage.outputs.table).toBe(RESTORED);
    expect(stage.inputs("EventSourceMapping").eventSourceArn).toContain(
      `table/${RESTORED}/stream/`,
    );
    expect(stage.inputs("MetricAlarm", "WriteThrottles").dimensions).toEqual({
      TableName: RESTORED,
    });
  });

  it("the stage's own table stays as it was", () => {
    expect(stage.one("Table", "LedgerTable")).toMatchObject({
      protect: true,
      inputs: { deletionProtectionEnabled: true },
    });
  });

  it("the value must be the name of a table", async () => {
    const wrong = evaluate({ stage: "alice", env: { RESTORED_TABLE: "a table" } });
    await expect(wrong).rejects.toThrow("is not the name of a DynamoDB table");
  });
});

describe("API_DOMAIN", () => {
  it("the API gets a certified name", async () => {
    const stage = await evaluate({ stage: "alice", env: { API_DOMAIN: "log.example.com" } });
    expect(stage.inputs("DomainName").domainName).toBe("log.example.com");
    expect(stage.inputs("Certificate").domainName).toBe("log.example.com");
    expect(stage.all("Record")).toHaveLength(3);
    expect(stage.outputs.url).toBe("https://log.example.com");
  });

  it("the setting is refused together with a Function URL", async () => {
    const env = { API_DOMAIN: "log.example.com", INGRESS: "function-url" };
    await expect(evaluate({ stage: "alice", env })).rejects.toThrow("API_DOMAIN needs INGRESS");
  });
});

describe("RESERVED_CONCURRENCY", () => {
  const reservedOf = (stage: Inventory) =>
    ["Router", "LedgerSubscriberCompactor", "SweeperHandler"].map(
      (name) => stage.inputs("Function", name).reservedConcurrentExecutions,
    );
  const evaluated = async (concurrency: number, env: Record<string, string> = {}) =>
    reservedOf(await evaluate({ stage: "alice", concurrency, env }));

  it("the compactor and the sweeper keep free executions, however many polls wait in the router", async () => {
    expect(await evaluated(1_000)).toEqual([undefined, 10, 1]);
  });

  it("nothing is reserved where AWS would refuse it: 100 executions must stay unreserved", async () => {
    expect(await evaluated(10)).toEqual([undefined, undefined, undefined]);
    expect(await evaluated(110)).toEqual([undefined, undefined, undefined]);
    expect(await evaluated(111)).toEqual([undefined, 10, 1]);
  });

  it("the reservation can be set and switched off", async () => {
    expect(await evaluated(10, { RESERVED_CONCURRENCY: "25" })).toEqual([undefined, 25, 1]);
    expect(await evaluated(1_000, { RESERVED_CONCURRENCY: "off" })).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    await expect(evaluated(1_000, { RESERVED_CONCURRENCY: "0" })).rejects.toThrow(
      'it can be "off" or a number from 1 to 9999',
    );
  });
});

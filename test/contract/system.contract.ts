import { PROBLEMS, problemCodes } from "@eventledger/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { at, type Client, createClient } from "./client.ts";
import type { Answer, Target } from "./wire.ts";

/** Tests health, the OpenAPI document and the documentation: they are public and correct. */
export function systemContract(target: Target): void {
  const api = createClient(target);
  afterAll(api.cleanUp);
  const open = async (path: string) => {
    const answer = await api.send({ path, headers: { authorization: "" } });
    expect(answer.status, answer.text.slice(0, 200)).toBe(200);
    return answer;
  };

  describe("health", () => {
    it.each(["/health", "/health?deep=0", "/health?deep=1"])(
      "[auth.key] the server answers %s without a key, never from a cache",
      async (path) => {
        const answer = await open(path);
        expect(answer.body).toEqual({ status: "ok" });
        expect(answer.header("cache-control")).toBe("no-store");
      },
    );
  });
  describe("a key", () => keys(api));
  describe("the OpenAPI document", () => openApi(api, open));
  describe("the documentation", () => documentation(api, open));
  describe("the console", () => consolePage(api, open));
}

function consolePage(api: Client, open: Open): void {
  it("[console.self-contained] the page and its files come from here and are kept by browsers", async () => {
    const { header, text } = await open("/console");
    expect(header("content-type")).toBe("text/html; charset=utf-8");
    expect(header("cache-control")).toBe("no-cache");
    const policy = header("content-security-policy").split("; ");
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy.join()).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(text).not.toMatch(/https?:|<style|<script(?![^>]*src=)|\son\w+=/);
    const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)]
      .map(([, file]) => file ?? "")
      .filter((file) => file.startsWith("/console/"));
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(file).toMatch(/^\/console\/assets\/\w+-[\w-]{8}\.(js|css|svg)$/);
      const answer = await open(file);
      expect(answer.header("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(answer.header("x-content-type-options")).toBe("nosniff");
    }
  });

  it("[portal.page] the portal loads its own files, needs no key, and is in no frame by default", async () => {
    const page = await api.send({ path: "/portal", headers: { authorization: "" } });
    expect(page.status).toBe(200);
    const policy = page.header("content-security-policy");
    expect(policy).toContain("default-src 'self';");
    expect(policy).toContain("frame-ancestors 'none';");
    expect(page.header("x-frame-options")).toBe("DENY");
    expect(page.header("referrer-policy")).toBe("no-referrer");
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = ""]) => file);
    expect(files.length).toBeGreaterThan(1);
    for (const path of files) {
      expect((await api.send({ path, headers: { authorization: "" } })).status, path).toBe(200);
    }
  });

  it("[console.self-contained] no name leads out of the console's folder", async () => {
    for (const name of ["none.js", "..%2Findex.html", "index.html", "..%5C..%5Cbuild.js", ".js"]) {
      const path = `/console/assets/${name}`;
      const answer = await api.send({ path, headers: { authorization: "" } });
      expect(answer.status, name).toBeOneOf([400, 404]);
    }
  });

  it("[console.root] the root leads a browser to the console, and other clients to the docs", async () => {
    const to = async (accept: string) => {
      const headers = { authorization: "", accept };
      const answer = await api.send({ path: "/", headers });
      expect(answer.header("vary")).toContain("Accept");
      return [answer.status, answer.header("location")];
    };
    expect(await to("text/html,application/xhtml+xml,*/*;q=0.8")).toEqual([302, "/console"]);
    for (const accept of ["*/*", "application/json"])
      expect(await to(accept)).toEqual([302, "/docs"]);
  });
}

type Open = (path: string) => Promise<Answer>;

function keys(api: Client): void {
  const { apiKey } = api.target;
  it.each([
    ["Bearer", { authorization: `Bearer ${apiKey}` }],
    ["bearer in lower case", { authorization: `bearer ${apiKey}` }],
    ["X-Api-Key", { authorization: "", "x-api-key": apiKey }],
    ["X-Api-Key beside another scheme", { authorization: "Basic eA==", "x-api-key": apiKey }],
  ])("[auth.key] is taken as %s", async (_, headers) => {
    expect((await api.send({ path: "/streams?limit=1", headers })).status).toBe(200);
  });

  it("[auth.key] a wrong key is answered before a missing stream", async () => {
    const stream = await api.newStream();
    const headers = { authorization: "Bearer wrong" };
    const [there, missing] = await Promise.all(
      [at(stream), at("no-such-stream")].map((path) => api.send({ path, headers })),
    );
    const shown = ({ status, body }: Answer = expect.fail()) => [
      status,
      { ...(body as object), instance: "" },
    ];
    expect(shown(there)).toEqual(shown(missing));
  });
}

type Operation = {
  operationId: string;
  summary: string;
  security: object[];
  "x-scope": string;
  parameters?: { name: string; in: string; schema: object }[];
  responses: Record<string, { content?: Record<string, object>; headers?: object }>;
};

type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

function openApi(api: Client, open: Open): void {
  let text: string;
  let document: Document;
  let operations: [method: string, path: string, operation: Operation][];

  beforeAll(async () => {
    const answer = await open("/openapi.json");
    text = answer.text;
    document = answer.body as Document;
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
        method.toUpperCase(),
        path,
        operation,
      ]),
    );
  });

  /** Returns a path with values for its parameters. */
  const example = (path: string) => path.replaceAll(/\{\w+\}/g, "no-such-thing");

  it("[openapi.routes] the document is valid OpenAPI 3.1, with every reference and path parameter declared", () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    for (const [, name] of text.matchAll(/"\$ref":\s*"#\/components\/schemas\/([^"]+)"/g)) {
      expect(document.components.schemas).toHaveProperty(name ?? "");
    }
    expect(text.match(/"\$ref":\s*"[^#]/)).toBeNull();
    for (const [, path, { parameters = [] }] of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === "path");
      expect(inPath.map(({ name }) => `{${name}}`).sort(), path).toEqual(
        [...path.matchAll(/\{\w+\}/g)].map(String).sort(),
      );
    }
  });

  it("[openapi.routes] the document names every operation once, with its scope and its answers", () => {
    const ids = operations.map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [method, path, operation] of operations) {
      const { summary, security, responses } = operation;
      const where = `${method} ${path}`;
      expect(summary, where).toMatch(/\S/);
      expect(operation["x-scope"], where).toMatch(
        /^(public|any|root|read|consume|operate|publish|admin)$/,
      );
      expect(security, where).toHaveLength(operation["x-scope"] === "public" ? 0 : 2);
      expect(Object.keys(responses).some((status) => status.startsWith("2"))).toBe(true);
      for (const [status, { content = {}, headers }] of Object.entries(responses)) {
        expect(headers, `${where} ${status}`).toHaveProperty("X-Request-Id");
        if (status >= "400") expect(content).toHaveProperty(["application/problem+json"]);
      }
    }
  });

  it("[auth.key] the document marks as public exactly the routes without a key", async () => {
    for (const [method, path, operation] of operations) {
      const answer = await api.send({
        method,
        path: example(path),
        headers: { authorization: "" },
      });
      const isPublic = operation["x-scope"] === "public";
      expect(answer.status === 401, `${method} ${path}`).toBe(!isPublic);
    }
  });

  it("[http.method] every path names the methods that it has", async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const has = Object.keys(methods).map((method) => method.toUpperCase());
      for (const method of METHODS.filter((each) => !has.includes(each))) {
        const answer = await api.send({ method, path: example(path) });
        expect(answer.status, `${method} ${path}`).toBe(405);
        expect(answer.header("allow").split(", "), `${method} ${path}`).toEqual(has.sort());
      }
    }
  });
}

function documentation(api: Client, open: Open): void {
  it.each(["/docs", "/docs/problems"])("[docs.self-contained] %s is a page", async (path) => {
    const { header, text } = await open(path);
    expect(header("content-type")).toBe("text/html; charset=utf-8");
    expect(header("content-security-policy")).toContain("default-src 'self'");
    expect(text).toMatch(/^<!doctype html>[\s\S]*<title>\w/);
    const references = [...text.matchAll(/(?:src|href|action)\s*=\s*["']?([^"'\s>]+)/g)];
    for (const [, reference] of references) {
      expect(reference).toMatch(/^([/#](?!\/)|data:image\/svg\+xml,%3Csvg)/);
    }
    // Without an icon a browser asks for /favicon.ico, and its console shows a 404.
    expect(text).toMatch(/<link rel="icon" href="data:/);
    expect(text).not.toMatch(/https?:|@import|<script>|\son\w+=/);
  });

  it("[docs.self-contained] a page loads files only from here, and they load nothing else", async () => {
    const { text } = await open("/docs");
    const links = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? "");
    const files = links.filter((link) => link.startsWith("/docs/assets/"));
    expect(files.length).toBeGreaterThan(1);
    for (const link of links.filter((link) => link.startsWith("/") && !files.includes(link)))
      await open(link.replace(/#.*/, ""));
    for (const file of files) {
      const { header, text: content } = await open(file);
      const isStyle = file.endsWith(".css");
      expect(header("content-type")).toMatch(isStyle ? /^text\/css/ : /^text\/javascript/);
      expect(header("x-content-type-options")).toBe("nosniff");
      expect(content.length).toBeGreaterThan(50);
      if (!isStyle) continue;
      expect(content).not.toContain("@import");
      for (const [, url] of content.matchAll(/url\(["']?([^"')]+)/g)) expect(url).toMatch(/^data:/);
    }
    const start = files.find((file) => file.endsWith("start.js")) ?? expect.fail("no start.js");
    const script = (await open(start)).text;
    expect(script).not.toMatch(/https?:/);
    expect(script).toContain('"/openapi.json"');
    expect(script).toContain("validatorUrl: null");
  });

  it("[error.problem] the type of every problem leads to its explanation", async () => {
    const { text } = await open("/docs/problems");
    const sections = new Map(
      text
        .split('<section id="')
        .slice(1)
        .map((section) => [section.slice(0, section.indexOf('"')), section]),
    );
    expect([...sections.keys()]).toEqual(problemCodes);
    for (const code of problemCodes) {
      const section = sections.get(code);
      expect(section).toContain(`${PROBLEMS[code].title}.`);
      expect(section).toMatch(/<p><strong>Cause\.<\/strong> \w[\s\S]{20,}<\/p>/);
      expect(section).toMatch(/<p><strong>Remedy\.<\/strong> (?:<code>)?\w[\s\S]{10,}<\/p>/);
      expect(section).toMatch(/<summary>Example<\/summary><pre[^>]*>\{[\s\S]*"code"/);
      // The text of an example may have backticks.
      const prose = section?.replace(/<pre[\s\S]*?<\/pre>/, "");
      expect(prose, "nothing of Markdown").not.toMatch(/```|\*\*|\]\(|`/);
    }
  });

  it("[error.problem] leads from the type of a problem to its explanation", async () => {
    const { body } = await api.send({ path: "/streams/NO" });
    const { type } = body as { type: string };
    const { text } = await open(new URL(type, "http://host").pathname);
    expect(text).toContain(`id="${type.split("#")[1]}"`);
  });
}

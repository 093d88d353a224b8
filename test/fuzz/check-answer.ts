import { expect } from "vitest";
import * as z from "zod";
import openApi from "../../packages/functions/openapi.json" with { type: "json" };
import type { Schema } from "../contract/access/openapi-operations.ts";
import type { Answer } from "../contract/wire.ts";
import { noteMembers } from "./optional-members.ts";
import type { FuzzRequest } from "./request.ts";

const $defs = JSON.parse(
  JSON.stringify(openApi.components.schemas).replaceAll("#/components/schemas/", "#/$defs/"),
) as Record<string, Schema>;

const parsers = new Map<string, z.ZodType>();

function parserOf(schema: Schema): z.ZodType {
  const text = JSON.stringify(schema).replaceAll("#/components/schemas/", "#/$defs/");
  const known = parsers.get(text);
  if (known !== undefined) return known;
  const made = z.fromJSONSchema({ ...JSON.parse(text), $defs });
  parsers.set(text, made);
  return made;
}

/**
 * Compares an answer with the document: the operation must declare its status, the status its
 * content type, and the schema must allow its body. `send` has already checked what every answer
 * and every problem must have.
 */
export function checkAnswer(request: FuzzRequest, { status, header, body }: Answer): void {
  const { operation, astray } = request;
  expect(status, "a defect").not.toBe(500);
  if (astray) {
    expect(status).toBeLessThan(500);
    return;
  }
  const declared = operation.responses[String(status)];
  expect(declared, `${status} is not documented`).toBeDefined();
  const contentType = header("content-type").split(";")[0] ?? "";
  if (declared?.content === undefined || request.method === "HEAD") return;
  const [family] = contentType.split("/");
  const form = declared.content[contentType] ?? declared.content[`${family}/*`];
  expect(form, `${contentType} is not documented`).toBeDefined();
  const { schema } = form ?? {};
  if (schema === undefined || !contentType.includes("json")) return;
  const parsed = parserOf(schema).safeParse(body);
  expect(parsed.error?.issues ?? [], JSON.stringify(body).slice(0, 500)).toEqual([]);
  noteMembers(schema, body);
}

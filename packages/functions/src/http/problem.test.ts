import { LedgerError } from "@eventledger/core";
import { expect, it } from "vitest";
import { toProblemResponse } from "./problem.ts";

it("the log gets errors without a code, and the causes of those that are the server's", () => {
  const logged: unknown[] = [];
  const answer = (error: unknown) =>
    toProblemResponse(error, "1", ({ error: of }) => void logged.push(of)).status;
  const cause = new Error("the disk");
  const unavailable = new LedgerError("store-unavailable", { detail: "", cause });
  const invalid = new LedgerError("invalid-request", { detail: "", cause });
  const full = new LedgerError("store-full", { detail: "" });
  const internal = new LedgerError("internal", { detail: "", cause });
  const bug = new TypeError("a bug");
  const answers = [unavailable, invalid, full, internal, bug].map(answer);
  expect(answers).toEqual([503, 400, 503, 500, 500]);
  expect(logged).toEqual([unavailable, internal, bug]);
});

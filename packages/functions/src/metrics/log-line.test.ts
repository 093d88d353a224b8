import { expect, it } from "vitest";
import { describeError } from "./log-line.ts";

it("the log names the error of AWS inside the error of ElectroDB", () => {
  const aws = Object.assign(new Error("slow down"), { name: "ThrottlingException" });
  const electro = new Error("the request failed", { cause: aws });
  const of = (cause: unknown) => describeError(new Error("no store", { cause }));
  expect(of(electro)).toMatchObject({ cause: "Error: the request failed (ThrottlingException)" });
  expect(of(new Error("alone"))).toMatchObject({ cause: "Error: alone" });
  expect(of("a text")).toMatchObject({ cause: "a text" });
  expect(describeError("a text")).toEqual({ error: "a text" });
});

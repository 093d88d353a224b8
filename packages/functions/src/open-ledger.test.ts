import { expect, it } from "vitest";
import { readOrigins } from "./open-ledger.ts";

it("the origins of browsers are separated by commas, and empty places name none", () => {
  const origins = ["https://a.example", "https://b.example"];
  expect(readOrigins(" https://a.example , ,https://b.example,")).toEqual(origins);
  for (const text of ["", " ", ",", undefined]) expect(readOrigins(text)).toEqual([]);
});

import { expect, it } from "vitest";
import { PROBLEMS } from "../../../protocol/src/index.ts";
import { FAKE_PROBLEMS } from "./fake-problem.ts";

it("the fake answers problems as the protocol has them", () => {
  for (const [code, [status, retry, title]] of Object.entries(FAKE_PROBLEMS)) {
    expect(PROBLEMS[code as keyof typeof PROBLEMS], code).toEqual({ status, retry, title });
  }
});

import { expect, it } from "vitest";
import { LedgerProblem } from "../sdk.ts";
import { explain } from "./trouble.ts";

it("a cursor that is too old for a difference leads to the whole state, where it was asked for", () => {
  const detail = "The list of changes does not reach back to this cursor.";
  const problem = new LedgerProblem({ status: 410, code: "changes-passed", detail });
  const explained = (about: object) => explain(problem, { stream: "orders", ...about });
  for (const [about, help] of [
    [{}, "el state orders"],
    [{ subscription: "s" }, "el subs seek orders/s bootstrap"],
    [{ subscription: "s", isNew: true }, "el subs create orders/s --start bootstrap"],
  ] as const) {
    expect(explained(about)).toMatchObject({ what: detail, help, exitCode: 1 });
  }
});

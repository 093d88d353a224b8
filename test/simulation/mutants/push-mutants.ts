import type { Mutant } from "./mutants.ts";
import { PUSHES } from "./situations.ts";

/** The rules of pushes (decisions 0074 and 0086). */
export const ofPushes: readonly Mutant[] = [
  {
    rule: "after an event that failed, no later one of its key is sent",
    file: "push/in-key-order.ts",
    from: 'if (sent !== "done") break;',
    to: 'if (sent === "held") break;',
    plan: PUSHES,
  },
  {
    rule: "two events of a key are not sent at the same time",
    file: "push/in-key-order.ts",
    from: "Map.groupBy(events, ({ key }) => key)",
    to: "Map.groupBy(events, ({ sequence }) => sequence)",
    plan: PUSHES,
  },
  {
    rule: "a page is committed once all of it was sent",
    file: "push/run-push.ts",
    from: "if (!done) break;",
    to: "void done;",
    plan: PUSHES,
  },
  {
    rule: "an event that was sent and not answered is not delivered",
    file: "push/push-plan.ts",
    from: 'if (answer.kind === "unreachable") return answer.isSent === true ? "failed" : "unreachable";',
    to: 'if (answer.kind === "unreachable") return answer.isSent === true ? "delivered" : "unreachable";',
    plan: PUSHES,
  },
  {
    rule: "an outage holds the position",
    file: "push/run-push.ts",
    from: "if (!complete || circuit.isOpen() || isStillOut) {",
    to: "if (isStillOut) {",
    plan: { ...PUSHES, endpoint: { refuses: 0.2, bad: false, lost: 0, slow: 0.2, outages: 3 } },
  },
  {
    rule: "a page is committed only if there is room for all keys that failed",
    file: "push/set-aside.ts",
    from: "const without = await parking.parkAll(stream, name, asked, cursor.tokens);",
    to: "const without = await parking.parkAll(stream, name, asked.slice(1), cursor.tokens);",
    plan: PUSHES,
  },
  {
    rule: "a pusher commits only what it holds",
    file: "table/subscription.entity.ts",
    from: `\${parked} AND \${guarded(row, operations, guard)}`,
    to: `\${parked}`,
    plan: PUSHES,
  },
  {
    rule: "a pusher parks only what it holds",
    file: "table/parking-rows.ts",
    from: 'const held = guard === undefined ? "" :',
    to: 'const held = guard !== undefined || nothingParked.revision === 0 ? "" :',
    plan: PUSHES,
  },
];

import type { EngineReport, Registered } from "./engine.ts";

export type Statement = Record<"Effect" | "Action" | "Resource" | "Principal", unknown>;

/** The resources that a deployment would request from AWS, with the queries that the tests need. */
export class Inventory {
  readonly app: EngineReport["app"];
  readonly resources: readonly Registered[];
  readonly outputs: EngineReport["outputs"];
  readonly bundles: EngineReport["bundles"];

  constructor(report: EngineReport) {
    this.app = report.app;
    this.resources = report.resources;
    this.outputs = report.outputs;
    this.bundles = report.bundles;
  }

  /**
   * Returns every resource of a kind, such as "Function". With a name, only those whose names begin
   * with it.
   */
  all(kind: string, name = ""): Registered[] {
    const isIt = (one: Registered) => one.type.endsWith(`:${kind}`) && one.name.startsWith(name);
    return this.resources.filter((one) => one.type.startsWith("aws:") && isIt(one));
  }

  /**
   * Returns the only resource of a kind and name. Throws with the existing names when there is not
   * exactly one.
   */
  one(kind: string, name = ""): Registered {
    const [found, ...more] = this.all(kind, name);
    if (found && more.length === 0) return found;
    const names = this.all(kind).map((one) => one.name);
    throw new Error(`expected one ${kind} "${name}"; there are: ${names.join(", ") || "none"}`);
  }

  /** Returns the inputs of `one`. */
  inputs(kind: string, name = ""): Record<string, unknown> {
    return this.one(kind, name).inputs;
  }

  /** Returns the policy of a role. Throws when the role has more than one policy. */
  allows(role: string): Statement[] {
    const policies = this.inputs("Role", role).inlinePolicies as { policy: string }[];
    const [policy, ...more] = policies;
    if (!policy || more.length > 0) throw new Error(`${role} has ${policies.length} policies`);
    return statements(policy.policy);
  }

  /** Returns who may assume a role. */
  trusts(role: string): Statement[] {
    return statements(this.inputs("Role", role).assumeRolePolicy);
  }
}

function statements(document: unknown): Statement[] {
  const { Statement } = typeof document === "string" ? JSON.parse(document) : document;
  return Statement;
}

import { FakeRefusal } from "./aws-error.ts";

/** @throws FakeRefusal when a request has a member that the fake would ignore */
export const refuseUnknown = (what: string, input: object, known: readonly string[]): void => {
  for (const [member, value] of Object.entries(input)) {
    if (value !== undefined && !known.includes(member)) {
      throw new FakeRefusal(`${member} of ${what}`);
    }
  }
};

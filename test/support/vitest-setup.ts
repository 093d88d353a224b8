import type { TestProject } from "vitest/node";
import { readStoreKind } from "../../packages/local/src/settings.ts";
import { type Store, startStore } from "../../packages/local/src/store.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The endpoint of this run's database. */
    dynamoEndpoint: string;
  }
}

/**
 * Vitest's global set-up. It starts one store in memory for the whole run (EVENTLEDGER_STORE
 * selects it), or uses the one that DYNAMODB_ENDPOINT names. Every project runs this, and each may
 * load its own copy of this module, so the database is stored on the process. The last project
 * stops it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.DYNAMODB_ENDPOINT;
  if (given) {
    project.provide("dynamoEndpoint", given);
    return async () => {};
  }
  const shared = sharedDynamo();
  shared.users++;
  shared.starting ??= startStore({
    kind: readStoreKind(process.env.EVENTLEDGER_STORE || undefined),
  });
  const { endpoint, stop } = await shared.starting;
  project.provide("dynamoEndpoint", endpoint);
  return async () => {
    if (--shared.users > 0) return;
    shared.starting = undefined;
    await stop();
  };
}

type SharedDynamo = { users: number; starting: Promise<Store> | undefined };

const SHARED = Symbol.for("eventledger.test.dynamo");

function sharedDynamo(): SharedDynamo {
  const holder = globalThis as { [SHARED]?: SharedDynamo };
  holder[SHARED] ??= { users: 0, starting: undefined };
  return holder[SHARED];
}

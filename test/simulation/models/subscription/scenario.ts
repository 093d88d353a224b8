import { openServers } from "./two-servers.ts";

/**
 * A sequence of actions of two processes, their clients and an operator, with the expected results.
 */
export type Scenario = { readonly name: string; readonly play: () => Promise<void> };

type Servers = ReturnType<typeof openServers>;

/**
 * Creates a scenario. `tell` throws when a result differs. The title begins with the rule that it
 * checks.
 */
export const scenario = (name: string, tell: (servers: Servers) => Promise<void>): Scenario => ({
  name,
  play: async () => {
    const servers = openServers();
    await servers.time.finish(tell(servers));
  },
});

/** Plays all scenarios. Returns which of them failed, and how. */
export async function playScenarios(
  scenarios: readonly Scenario[],
): Promise<{ name: string; detail: string }[]> {
  const broken: { name: string; detail: string }[] = [];
  for (const { name, play } of scenarios) {
    try {
      await play();
    } catch (error) {
      broken.push({ name, detail: error instanceof Error ? error.message : String(error) });
    }
  }
  return broken;
}

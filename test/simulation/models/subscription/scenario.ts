import { openServers } from "./two-servers.ts";

/** Something that two processes, their clients and an operator do, and what must come of it. */
export type Scenario = { readonly name: string; readonly play: () => Promise<void> };

type Servers = ReturnType<typeof openServers>;

/** `tell` throws where something else comes of it. Its title begins with the rule it is for. */
export const scenario = (name: string, tell: (servers: Servers) => Promise<void>): Scenario => ({
  name,
  play: async () => {
    const servers = openServers();
    await servers.time.finish(tell(servers));
  },
});

/** Plays them all: which broke, and how. */
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

import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { EngineReport } from "./engine.ts";
import { evaluateHere } from "./evaluate-here.ts";

/**
 * Evaluates for the test files of a run, which are in several processes. Loading Pulumi takes
 * longer than an evaluation, so one engine does them all, and each only once.
 */
export async function serveEvaluations(): Promise<{ url: string; stop(): void }> {
  const known = new Map<string, Promise<EngineReport>>();
  const reportOf = (asked: string): Promise<EngineReport> => {
    const report = known.get(asked) ?? evaluateHere(JSON.parse(asked));
    known.set(asked, report);
    // A failure may be temporary.
    report.catch(() => known.delete(asked));
    return report;
  };
  const server = http.createServer(async (request, response) => {
    try {
      response.end(JSON.stringify(await reportOf(await text(request))));
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

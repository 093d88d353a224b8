import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Projects are named by their cost: `unit` needs nothing, and the others start what they need. */
const project = (name: string, include: string[], extra: object = {}) => ({
  test: { name, include, ...extra },
});

const emulated = {
  globalSetup: ["test/support/vitest-setup.ts"],
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

/**
 * The files that one worker runs share their modules, which keep nothing from one file to the next.
 * Loading them again costs more than most of the files.
 */
const shared = { isolate: false };

/**
 * Node imports the sources itself, as it does in `npm start`. Vite would transform them, and each
 * use of an import would be a call of a getter. Node keeps what it compiled for the next worker and
 * for the programs that tests start: loading the local stack takes 0.3 s instead of 0.8 s.
 */
const native = {
  experimental: { viteModuleRunner: false, nodeLoader: false },
  env: {
    NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/eventledger/compiled"),
  },
};

/** Simulations create the same entities again and again. */
const quick = { setupFiles: ["test/simulation/world/quick-electrodb.ts"] };

/** Integration tests that start what they need, and five that take long on DynamoDB Local. */
const ONLY_HERE = [
  ...["bench", "full-disk", "many", "memory-store", "record-index", "s3-server", "store-errors"],
  ...["compaction", "gone-workers", "idle-pace", "restore", "usage-cost"],
];

export default defineConfig({
  test: {
    // Tests wait for servers and processes much of the time, so a worker more than cores is faster.
    maxWorkers: availableParallelism() + 1,
    // The suites of the contract and tests of deadlines wait most of the time.
    maxConcurrency: 20,
    projects: [
      project(
        "unit",
        [
          "packages/*/src/**/*.test.ts",
          "test/simulation/checker/**/*.test.ts",
          "test/simulation/mutants/mutants.test.ts",
          "test/changes/**/*.test.ts",
          "test/proof/**/*.test.ts",
          "test/tidy.test.ts",
        ],
        { ...shared, ...native, testTimeout: 30_000 },
      ),
      // Several suites run at the same time, so that each takes longer than it would alone.
      project("contract", ["test/contract/**/!(*.deep).test.ts"], {
        ...emulated,
        ...shared,
        ...native,
        testTimeout: 120_000,
      }),
      project("integration", ["test/{integration,upgrade}/**/!(rollback).test.ts"], {
        ...emulated,
        ...shared,
        ...native,
      }),
      // The contract through one entry point, and what the store answers and charges.
      // `npm run test:second-store` runs this on DynamoDB Local.
      project(
        "second-store",
        [
          "test/contract/contract-handler.test.ts",
          `test/integration/!(${ONLY_HERE.join("|")}).test.ts`,
        ],
        { ...emulated, ...shared, ...native, testTimeout: 120_000 },
      ),
      project("fault", ["test/chaos/faults/**/!(*.deep).test.ts"], { ...emulated, ...native }),
      project("model", ["test/simulation/models/**/!(*.deep).test.ts"], {
        ...emulated,
        ...shared,
        ...native,
        ...quick,
      }),
      project("sim", ["test/simulation/world/**/*.test.ts"], {
        ...shared,
        ...native,
        ...quick,
        testTimeout: 240_000,
      }),
      project("mutation", ["test/simulation/mutants/**/*.test.ts"], { testTimeout: 240_000 }),
      project("coverage", ["test/simulation/coverage/**/*.test.ts"], { testTimeout: 3_600_000 }),
      project(
        "blackbox",
        ["test/chaos/processes/**/*.test.ts", "test/chaos/workers/**/*.test.ts"],
        {
          ...emulated,
          testTimeout: 240_000,
        },
      ),
      project("fuzz", ["test/fuzz/{fuzz,corpus,doors}.test.ts"], {
        ...emulated,
        ...shared,
        ...native,
      }),
      project("doors", ["test/doors/**/!(*.deep).test.ts"], {
        ...shared,
        ...native,
        testTimeout: 120_000,
        hookTimeout: 60_000,
      }),
      // What only `npm run test:deep` runs.
      project("deep", ["test/**/*.deep.test.ts"], {
        ...emulated,
        ...native,
        testTimeout: 240_000,
      }),
      project("rollback", ["test/upgrade/rollback.test.ts"], { ...emulated, testTimeout: 240_000 }),
      project("clients", ["test/clients/{typescript,python,webhooks,engines,drivers}.test.ts"], {
        ...emulated,
        testTimeout: 120_000,
      }),
      project("generators", ["test/clients/{more,go,java,rust}.test.ts"], {
        ...emulated,
        testTimeout: 900_000,
      }),
      project("sdk", ["test/{sdk,outbox}/**/!(*.deep).test.ts"], {
        ...emulated,
        ...shared,
        ...native,
      }),
      project("cli", ["test/cli/**/*.test.ts"], { ...emulated, ...shared, ...native }),
      project("console", ["test/console/**/*.test.ts"], {
        ...emulated,
        ...native,
        testTimeout: 240_000,
        expect: { poll: { timeout: 60_000 } },
      }),
      project("press", ["test/fuzz/press.test.ts"], { ...emulated, testTimeout: 240_000 }),
      project("infra", ["test/infra/**/*.test.ts"], {
        ...emulated,
        globalSetup: [...emulated.globalSetup, "test/infra/vitest-setup.ts"],
        ...shared,
        ...native,
        testTimeout: 180_000,
        hookTimeout: 180_000,
      }),
    ],
  },
});

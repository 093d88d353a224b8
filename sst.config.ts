/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  app(input) {
    const production = input.stage === "production";
    return {
      name: "eventledger",
      home: "aws",
      version: "4.17.1",
      removal: production ? "retain" : "remove",
      protect: production,
      providers: {
        aws: { defaultTags: { tags: { app: "eventledger", stage: input.stage } } },
      },
    };
  },
  async run() {
    // A live stub answers 500 to every request while no `sst dev` runs.
    if ($dev && $app.stage === "production") {
      throw new Error("`sst dev` is for personal stages; deploy production with `sst deploy`.");
    }

    $transform(sst.aws.Function, (args) => {
      args.runtime ??= "nodejs24.x";
      args.architecture ??= "arm64";
      args.logging ??= { retention: "1 month", format: "json" };
      args.nodejs ??= {
        minify: true,
        // An ES module that imports one function of `node:process` or `node:fs` makes Node load all
        // of that module and its dependencies, including standard output. CommonJS loads only what
        // is used.
        format: "cjs",
        esbuild: {
          mainFields: ["module", "main"], // esbuild removes unused code only from ES modules
          // With true, each start would set the name of every function and class by a call.
          keepNames: false,
          // The SDK looks for credentials in the environment first, and a function always has them
          // there. The other providers are a seventh of the bundle and never used.
          external: [
            ...["http", "ini", "process", "sso", "web-identity"].map(
              (place) => `@aws-sdk/credential-provider-${place}`,
            ),
            "@smithy/credential-provider-imds",
            // The SDK imports this for answers that are streams of events. DynamoDB has none.
            "@smithy/core/event-streams",
            // These come in a file of their own: see infra/s3-client.ts.
            "@aws-sdk/client-s3",
            "@aws-sdk/s3-request-presigner",
            "jsonschema", // see infra/bundled/jsonschema.cjs
          ],
        },
      };

      args.copyFiles = $util
        .output(args.copyFiles)
        .apply((files = []) => [
          ...files,
          { from: "infra/bundled/jsonschema.cjs", to: "node_modules/jsonschema/index.js" },
        ]);

      // SST lets the account's root assume every function role, but only a live function needs
      // that.
      const live = $dev && args.dev !== false;
      if (!live) {
        const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({
          Service: "lambda.amazonaws.com",
        });
        args.transform = { ...args.transform, role: { assumeRolePolicy } };
      }
    });

    const { url, table, failures, archive, deadBells } = await import("./infra/index.ts");
    return {
      url,
      table: table.name,
      failures: failures.url,
      ...(archive && { archive: archive.name }),
      ...(deadBells && { deadBells: deadBells.url }),
    };
  },
});

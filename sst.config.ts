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
    // While no `sst dev` runs, a live stub answers 500 to every request.
    if ($dev && $app.stage === "production") {
      throw new Error("`sst dev` is for personal stages; deploy production with `sst deploy`.");
    }

    $transform(sst.aws.Function, (args) => {
      args.runtime ??= "nodejs24.x";
      args.architecture ??= "arm64";
      args.logging ??= { retention: "1 month", format: "json" };
      args.nodejs ??= {
        minify: true,
        // A module that imports one function of `node:process` or `node:fs` has Node load all that
        // belongs to either, standard output among it; CommonJS reads what it names.
        format: "cjs",
        esbuild: {
          mainFields: ["module", "main"], // as for modules: of these esbuild leaves out what is unused
          // Otherwise every function and class is given its name by a call, at each start.
          keepNames: false,
          // A function has its credentials in the environment, which the SDK looks at first. The
          // other places are loaded when needed, so never: a seventh of the bundle.
          external: [
            ...["http", "ini", "process", "sso", "web-identity"].map(
              (place) => `@aws-sdk/credential-provider-${place}`,
            ),
            "@smithy/credential-provider-imds",
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

      // SST lets the account's root assume every function role; only a live function needs that.
      const live = $dev && args.dev !== false;
      if (!live) {
        const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({
          Service: "lambda.amazonaws.com",
        });
        args.transform = { ...args.transform, role: { assumeRolePolicy } };
      }
    });

    const { url, table, failures } = await import("./infra/index.ts");
    return { url, table: table.name, failures: failures.url };
  },
});

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
    // While nobody runs `sst dev`, a live stub answers 500 to every request.
    if ($dev && $app.stage === "production") {
      throw new Error("`sst dev` is for personal stages; deploy production with `sst deploy`.");
    }

    $transform(sst.aws.Function, (args) => {
      args.runtime ??= "nodejs24.x";
      args.architecture ??= "arm64";
      args.logging ??= { retention: "1 month", format: "json" };
      // `lambda` picks the `#openapi` that leaves the generator out
      // (packages/functions/package.json); `module` has to be repeated, because naming any
      // condition drops esbuild's own.
      args.nodejs ??= { minify: true, esbuild: { conditions: ["lambda", "module"] } };

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

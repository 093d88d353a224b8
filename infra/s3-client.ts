import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

type Esbuild = { build(options: object): Promise<unknown> };

/**
 * Bundles the S3 client into a file of its own, and returns where a function needs it. A function
 * loads it with its first request to the bucket. In the function's own bundle, every start of the
 * function would pay for it.
 */
export async function bundleS3Client(): Promise<{ from: string; to: string }[]> {
  const folder = path.join($cli.paths.work, "s3-client");
  const [client, presigner] = [path.join(folder, "client.cjs"), path.join(folder, "presigner.cjs")];
  mkdirSync(folder, { recursive: true });
  const { build }: Esbuild = await import(nameOf("esbuild"));
  await build({
    stdin: { contents: entry(), resolveDir: path.join($cli.paths.root, "packages", "core") },
    outfile: client,
    bundle: true,
    minify: true,
    format: "cjs",
    platform: "node",
    target: "es2022",
    mainFields: ["module", "main"],
    // A function has its credentials in the environment: see sst.config.ts.
    external: [
      ...["http", "ini", "process", "sso", "web-identity"].map(
        (place) => `@aws-sdk/credential-provider-${place}`,
      ),
      "@smithy/credential-provider-imds",
    ],
    logLevel: "silent",
  });
  writeFileSync(presigner, 'module.exports = require("@aws-sdk/client-s3");\n');
  const copied = (from: string, name: string) => ({
    from: path.relative($cli.paths.root, from),
    to: `node_modules/@aws-sdk/${name}/index.js`,
  });
  return [copied(client, "client-s3"), copied(presigner, "s3-request-presigner")];
}

/** SST installs esbuild with its platform, so it can be found only while the program runs. */
function nameOf(name: string): string {
  return name;
}

/** Returns the part of the S3 client that core/src/objects/connect-s3.ts loads. */
function entry(): string {
  const commands = ["DeleteObjects", "GetObject", "HeadObject", "ListObjectsV2", "PutObject"];
  const names = ["S3Client", ...commands.map((name) => `${name}Command`)];
  return `export { ${names.join(", ")} } from "@aws-sdk/client-s3";
    export { getSignedUrl } from "@aws-sdk/s3-request-presigner";`;
}

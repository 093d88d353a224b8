import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { beforeAll, describe, expect, it } from "vitest";
import { installIn, type Packed, packagingTests, packPackage } from "./packed.ts";
import { runSnippets } from "./snippets.ts";
import { openStack } from "./stack.ts";

let packed: Packed;
beforeAll(() => {
  packed = packPackage("sdk");
}, 120_000);

describe("the package", () => {
  packagingTests(() => packed);

  it.each([
    ["index.js", 8_192],
    ["publish.js", 4_096],
  ])("is small: %s takes at most %i bytes, minified and as gzip", async (entry, most) => {
    // The bundle is for browsers, so a module that needs Node would remain as an import.
    const input = join(packed.folder, "dist", entry);
    const bundle = await rolldown({ input, platform: "browser" });
    const { output } = await bundle.generate({ minify: true, comments: false });
    expect(output).toHaveLength(1);
    expect(output[0].imports).toEqual([]);
    const bytes = gzipSync(output[0].code).length;
    console.log(`${entry}: ${bytes} bytes`);
    expect(bytes).toBeLessThanOrEqual(most);
  });

  it("runs its README, installed from its tarball", async () => {
    const { url, adminKey } = await openStack();
    const project = installIn(["sdk"], ["zod"]);
    const readme = join(packed.folder, "README.md");
    await runSnippets({ project, readme, url, apiKey: adminKey });
  }, 240_000);
});

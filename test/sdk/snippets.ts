import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");

/** Compiles each snippet of a page in a project that has the package, and runs it. */
export async function runSnippets({
  project,
  readme,
  url,
  apiKey,
  env = {},
  isRunnable = () => true,
}: {
  readonly project: string;
  readonly readme: string;
  readonly url: string;
  readonly apiKey: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Snippets for which it returns false are only compiled. */
  readonly isRunnable?: (code: string) => boolean;
}): Promise<void> {
  const snippets = [...readFileSync(readme, "utf8").matchAll(/^```ts\n([\s\S]*?)^```/gm)];
  const files = snippets.map(([, code = ""], index) => {
    const file = join(project, `snippet-${index + 1}.ts`);
    writeFileSync(file, frame(code, { url, apiKey }));
    return { file, code };
  });
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(CONFIG));
  mkdirSync(join(project, "node_modules/@types"), { recursive: true });
  symlinkSync(join(root, "node_modules/@types/node"), join(project, "node_modules/@types/node"));
  // execFileSync would block the server, which runs in this process.
  const run = (...given: string[]) =>
    promisify(execFile)(process.execPath, given, {
      cwd: project,
      timeout: 60_000,
      env: { ...process.env, ...env },
    }).catch(({ message, stdout }) => {
      throw new Error(`${message}\n${stdout}`);
    });
  await run(join(root, "node_modules/typescript/bin/tsc"), "-p", ".");
  for (const { file, code } of files) if (isRunnable(code)) await run("--no-warnings", file);
}

const CONFIG = {
  compilerOptions: {
    target: "ES2024",
    module: "NodeNext",
    strict: true,
    noEmit: true,
    types: ["node"],
    exactOptionalPropertyTypes: true,
    erasableSyntaxOnly: true,
  },
  include: ["*.ts"],
};

/** The code before a snippet: a server, its key, and a stream. */
const frame = (code: string, { url, apiKey }: { url: string; apiKey: string }): string => {
  const imports = code.match(/^import .*$/gm) ?? [];
  const isWhole = /new EventLedger\(/.test(code);
  const opening = isWhole
    ? ""
    : `const ledger = new EventLedger({ url, apiKey });
const orders = ledger.stream<{ total: number }>("orders");`;
  const needed = imports.some((line) => /\bEventLedger\b/.test(line))
    ? imports
    : [...imports, 'import { EventLedger } from "@eventledger/sdk";'];
  return `${needed.join("\n")}
const url: string = ${JSON.stringify(url)};
const apiKey: string = ${JSON.stringify(apiKey)};
await new EventLedger({ url, apiKey }).createStream("orders");
${opening}
${code.replaceAll(/^import .*$/gm, "")}`;
};

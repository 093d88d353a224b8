import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { type Cli, confirm } from "../cli.ts";
import { Failure, UsageError } from "../io.ts";
import { renderFacts } from "../output/facts.ts";
import { renderTable } from "../output/table.ts";
import { EXIT } from "../output/trouble.ts";
import { plural, visible } from "../output/words.ts";
import type { Register } from "../register.ts";
import type { NewSchemas, SchemaCheck, Schemas } from "../sdk.ts";

const MODES = ["none", "backward", "forward", "full"] as const;

export function schemasCommands({ program, act }: Register): void {
  const schemas = program.command("schemas").description("show, check and set schemas of events");
  schemas
    .command("get <stream>")
    .description("show the schemas of a stream's events")
    .addHelpText(
      "after",
      "\nExamples:\n  $ el schemas get orders\n  $ el schemas get orders --json",
    )
    .action(act((cli, [stream]) => get(cli, stream)));
  schemas
    .command("set <stream> [file]")
    .description("replace the schemas by those of a JSON file, or change the mode")
    .option("--compatibility <mode>", "which changes are accepted: none, backward, forward, full")
    .option("--force", "also change what the mode forbids, or what subscriptions read")
    .addHelpText(
      "after",
      `${FILE}\nExamples:\n  $ el schemas set orders schemas.json\n  $ el schemas set orders --compatibility backward`,
    )
    .action(act<Flags>(set));
  schemas
    .command("check <stream> <file>")
    .description("show what a change would do, and whom it breaks")
    .addHelpText("after", `${FILE}\nExample:\n  $ el schemas check orders schemas.json`)
    .action(act(check));
  schemas
    .command("rm <stream>")
    .description("remove all schemas of a stream")
    .addHelpText("after", "\nExample:\n  $ el schemas rm orders --yes")
    .action(act((cli, [stream]) => remove(cli, stream)));
}

const FILE = `
The file has a JSON Schema for each type of event:
  {"schemas":{"order.placed":{"type":"object","required":["total"]}}}
`;

type Flags = { compatibility?: string; force?: boolean };

/** Returns the requests for the schemas of a stream. */
function of(cli: Cli, stream: string) {
  cli.about = { ...cli.about, stream };
  return cli.server().admin.schemas(stream);
}

async function get(cli: Cli, stream: string): Promise<void> {
  await show(cli, stream, await of(cli, stream).get({ signal: cli.io.signal }));
}

async function show(cli: Cli, stream: string, schemas: Schemas): Promise<void> {
  const types = Object.keys(schemas.schemas);
  await cli.out.document(schemas, () =>
    renderFacts(cli.out, [
      ["stream", stream],
      ["types", types.length === 0 ? "none" : types.map(visible).join(", ")],
      ["other types", schemas.undeclared],
      ["compatibility", schemas.compatibility],
    ]),
  );
  if (types.length > 0) await cli.out.hint(`el schemas get ${stream} --json`);
}

async function set(
  cli: Cli,
  [stream, file]: readonly [string, ...string[]],
  { compatibility, force = false }: Flags,
): Promise<void> {
  const mode = modeOf(compatibility);
  if (file === undefined && mode === undefined) throw new UsageError("Nothing to change.");
  const schemas = of(cli, stream);
  const { signal } = cli.io;
  const wanted = file === undefined ? await schemas.get({ signal }) : await read(cli, file);
  const changed = { ...wanted, ...(mode === undefined ? {} : { compatibility: mode }) };
  const now = await schemas.set(changed, { force, signal });
  const held = plural(Object.keys(now.schemas).length, "schema");
  await cli.out.document(
    now,
    () => `${stream} has ${held}, with compatibility ${now.compatibility}.`,
  );
}

function modeOf(text: string | undefined): NewSchemas["compatibility"] {
  const mode = MODES.find((each) => each === text);
  if (text === undefined || mode !== undefined) return mode;
  throw new UsageError(`--compatibility must be ${MODES.join(", ")}, not "${text}".`);
}

/** Reads a JSON file, or the input for `-`. The server checks what is in it. */
async function read({ io }: Cli, file: string): Promise<NewSchemas> {
  const path = resolve(io.cwd, file);
  const text = await (file === "-" ? textOf(io.stdin) : readFile(path, "utf8")).catch(
    ({ code }: NodeJS.ErrnoException) => {
      throw new UsageError(`Cannot read ${file}: ${code}.`);
    },
  );
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file} is not JSON.`);
  }
}

async function check(cli: Cli, [stream, file]: readonly [string, ...string[]]): Promise<void> {
  const wanted = await read(cli, file ?? "-");
  const found = await of(cli, stream).check(wanted, { signal: cli.io.signal });
  const text = cli.out.isHuman ? await describe(cli, found) : "";
  await cli.out.document(found, () => text);
  if (found.accepted) return;
  throw new Failure("The change would be refused.", {
    help: `el schemas set ${stream} ${file} --force`,
    exitCode: EXIT.conflict,
  });
}

async function describe(cli: Cli, found: SchemaCheck): Promise<string> {
  const { width, style } = { width: cli.out.columns, style: cli.out.style };
  const parts = [
    renderFacts(cli.out, [
      ["accepted", found.accepted ? "yes" : "no"],
      ["backward", found.backward ? "compatible" : "not proven"],
      ["forward", found.forward ? "compatible" : "not proven"],
    ]),
  ];
  if (found.differences.length > 0) {
    const columns = [
      { title: "DIRECTION", of: ({ direction }: Difference) => direction },
      { title: "AT", of: ({ pointer }: Difference) => visible(pointer), isElastic: true },
      { title: "RULE", of: ({ rule }: Difference) => rule },
    ];
    parts.push(await renderTable(found.differences, { width, style, columns }));
  }
  if (found.breaks.length > 0) {
    const columns = [
      { title: "BREAKS", of: ({ subscription }: Broken) => subscription, isElastic: true },
      { title: "TYPE", of: ({ type }: Broken) => visible(type), isElastic: true },
      { title: "FIELD", of: ({ field }: Broken) => visible(field), isElastic: true },
      { title: "WHY", of: ({ detail }: Broken) => detail, isElastic: true },
    ];
    parts.push(await renderTable(found.breaks, { width, style, columns }));
  }
  return parts.join("\n\n");
}

type Difference = SchemaCheck["differences"][number];
type Broken = SchemaCheck["breaks"][number];

async function remove(cli: Cli, stream: string): Promise<void> {
  const schemas = of(cli, stream);
  const { signal } = cli.io;
  const present = await schemas.get({ signal });
  const held = plural(Object.keys(present.schemas).length, "schema");
  if (!(await confirm(cli, `Remove ${held} of ${stream}? Publishes are no longer checked.`))) {
    await cli.out.note("Nothing was removed.");
    return;
  }
  const none = { schemas: {}, undeclared: "accepted", compatibility: "none" } as const;
  const now = await schemas.set(none, { force: true, signal });
  await cli.out.document(now, () => `${stream} has no schemas.`);
}

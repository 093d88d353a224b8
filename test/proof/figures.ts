/**
 * The figures of docs/proof.md, made of the records in test/results, so that the page says what was
 * run and nothing else. A record that is not known here is told by its numbers.
 */
export type Recorded = { readonly [name: string]: unknown };
export type Records = ReadonlyMap<string, Recorded>;

type Told = { readonly ran: string; readonly found: string };
type Part = { readonly title: string; readonly tell: (record: Recorded) => Told };

/** The table of everything that was recorded, the known parts in this order, the others behind them. */
export function figuresOf(records: Records): string {
  const known = Object.keys(PARTS).filter((name) => records.has(name));
  const others = [...records.keys()].filter((name) => !(name in PARTS)).sort();
  const rows = [...known, ...others].map((name) => {
    const record = records.get(name) ?? {};
    const { title, tell } = PARTS[name] ?? { title: sentence(inWords(name)), tell: tellNumbers };
    const { ran, found } = tell(record);
    return `| [${title}](../test/results/${name}.json) | ${ran} | ${found} | ${originOf(record)} |`;
  });
  return [
    "| part | what was run | what was found | when and of what |",
    "|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** What the bugs page says of DynamoDB Local under kills. */
export function singlePuts(records: Records): string {
  const { verdict } = records.get("blackbox-disk") ?? {};
  const { acknowledgedEvents, databaseKills, lost } = asRecord(verdict);
  const [of, kills] = [numeral(acknowledgedEvents), numeral(databaseKills)];
  return `${lost === 0 ? "none" : numeral(lost)} of ${of} events in ${kills} kills since`;
}

/** The page with `text` between its marks `<!-- name -->` and `<!-- /name -->`. */
export function fill(page: string, name: string, text: string): string {
  const [head, marked] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = page.indexOf(head);
  const to = page.indexOf(marked);
  if (from === -1 || to < from) throw new Error(`The page has no place for ${name}`);
  return page.slice(0, from + head.length) + text + page.slice(to);
}

const PARTS: Readonly<Record<string, Part>> = {
  sim: { title: "Simulation", tell: tellSimulation },
  "sim-recent": { title: "Simulation, as the product is now", tell: tellSimulation },
  mutants: { title: "Mutants", tell: tellMutants },
  "mutants-unspoiled": { title: "The mutants' plans, all rules in place", tell: tellUnspoiled },
  differential: { title: "The fake beside DynamoDB Local", tell: tellNumbers },
  "blackbox-memory": { title: "Black box, database in memory", tell: tellBlackBox },
  "blackbox-disk": { title: "Black box, database on disk", tell: tellBlackBox },
  "append-faults": { title: "Appends on the fake under faults", tell: tellKinds },
  "append-faults-local": { title: "Appends on DynamoDB Local under faults", tell: tellKinds },
  "bootstrap-oracle": { title: "Bootstrap, random programs", tell: tellNumbers },
  "small-scope": { title: "Bootstrap, every order of steps", tell: tellNumbers },
  churn: { title: "Bootstrap while everything changes", tell: tellNumbers },
  fuzz: { title: "Random requests over HTTP", tell: tellNumbers },
  press: { title: "Slow, idle and vanishing clients", tell: tellNumbers },
};

function tellSimulation({ total, mended }: Recorded): Told {
  const { failures, counts: _, ...did } = asRecord(total);
  const failed = asList(failures).map(({ seed }) => seed);
  const passNow = asList(mended).map(({ seed }) => seed);
  const before =
    passNow.length === 0 ? "" : `; ${passNow.join(" and ")} failed before and pass now`;
  const found = failed.length === 0 ? "no seed fails" : `**fails: ${failed.join(", ")}**`;
  return { ran: list(did), found: found + before };
}

function tellMutants({ killed, of, verdicts }: Recorded): Told {
  const alive = asList(verdicts).filter((verdict) => verdict.killed !== true);
  const names = alive.map(({ rule }) => `"${rule}"`).join(", ");
  const ran = `${numeral(of)} mutants, each until a seed notices it`;
  return { ran, found: `${numeral(killed)} noticed${names === "" ? "" : `, **not: ${names}**`}` };
}

function tellUnspoiled({ of, verdicts }: Recorded): Told {
  const plans = asList(verdicts);
  const failed = plans.filter(({ killed }) => killed === true);
  const played = plans.reduce((sum, plan) => sum + Number(plan.played ?? 0), 0);
  const names = failed.map(
    ({ rule, violations, seed }) => `"${rule}": ${violations}, seed ${seed}`,
  );
  const found = names.length === 0 ? "no violation" : `**violations: ${names.join("; ")}**`;
  return { ran: `${numeral(of)} plans, ${numeral(played)} seeds`, found };
}

function tellBlackBox({ verdict, began, ended, publishers }: Recorded): Told {
  const { lost, duplicated, reordered, otherViolations, ...did } = asRecord(verdict);
  const minutes = Math.round((Date.parse(String(ended)) - Date.parse(String(began))) / 60_000);
  return {
    ran: list({ minutes, publishers, ...did }),
    found: list({ lost, duplicated, reordered, otherViolations }),
  };
}

/** A record of several kinds of runs, added up. */
function tellKinds({ kinds }: Recorded): Told {
  const all = asList(kinds);
  const sum = (isIt: (name: string) => boolean): number =>
    all
      .flatMap((kind) => Object.entries(kind))
      .reduce((total, [name, value]) => total + (isIt(name) ? Number(value) : 0), 0);
  const of = (name: string) => sum((one) => one === name);
  return {
    ran: list({
      ...{ kindsOfFaults: all.length, requests: of("requests"), events: of("events") },
      faults: sum((name) => name.startsWith("fault.")),
    }),
    found: list({ violations: of("violations") }),
  };
}

const FOUND =
  /^(violations|failures|failed|failing|differences|lost|duplicated|reordered|disorder)$/;

/** Its numbers, those that say what went wrong apart. */
function tellNumbers(record: Recorded): Told {
  const { seed: _, ...numbers } = Array.isArray(record) ? sumOf(record) : record;
  const entries = Object.entries(numbers).filter(([, value]) => typeof value === "number");
  const [bad, good] = [true, false].map((isBad) =>
    Object.fromEntries(entries.filter(([name]) => FOUND.test(name) === isBad)),
  );
  return { ran: list(good ?? {}), found: list(bad ?? {}) };
}

/** Of several runs, how many they are and their numbers added up. */
function sumOf(runs: readonly Recorded[]): Recorded {
  const sums: Record<string, number> = { runs: runs.length };
  for (const [name, value] of runs.flatMap((run) => Object.entries(run))) {
    if (typeof value === "number") sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

/** Date, commits, and versions. */
function originOf(record: Recorded): string {
  const stretches = [record, ...asList(record.stretches), ...(Array.isArray(record) ? record : [])];
  const { ended, saved, began, node, versions } = record;
  const commits = stretches.map(({ commit }) => String(commit ?? "").replace(/^(.{7})\w*/, "$1"));
  const named = [...new Set(commits)].filter((commit) => commit !== "");
  const nodes = [node, asRecord(versions).node, ...stretches.map((one) => one.node)];
  return [
    ...String(ended ?? saved ?? began ?? "")
      .slice(0, 10)
      .split(/(?=$)/),
    named.length === 0 ? "commit not recorded" : named.join(" "),
    `Node ${String(nodes.find((one) => one !== undefined) ?? "not recorded").replace(/^v/, "")}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** "3 requests, 2 lost": every number with the words of its name. */
const list = (numbers: Recorded): string =>
  Object.entries(numbers)
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => {
      if (name.endsWith("Ms")) return `${inWords(name.slice(0, -2))} after ${seconds(value)}`;
      return `${numeral(value)} ${inWords(name)}`;
    })
    .join(", ");

const seconds = (ms: unknown): string => `${Math.round(Number(ms) / 100) / 10} s`;

const numeral = (value: unknown): string => Math.round(Number(value)).toLocaleString("en-US");

const inWords = (name: string): string =>
  name.replaceAll("-", " ").replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

const asRecord = (value: unknown): Recorded => (value ?? {}) as Recorded;

const asList = (value: unknown): readonly Recorded[] => (Array.isArray(value) ? value : []);

/** A change, identified by its file and its name. */
type Named = { readonly file: string; readonly name: string };

/** A change that no test notices, and the reason why no test needs to. */
export type Survivor = Named & { readonly why: string };

type Judged<Tried> = {
  readonly alive: readonly Tried[];
  /** Changes that no test notices and no reason explains. */
  readonly unexplained: readonly Tried[];
  /** Reasons for changes that a test notices, and for changes that do not exist. */
  readonly superfluous: readonly Survivor[];
};

/**
 * Compares the results with the reasons. If only a part of the changes was tried, it says nothing
 * about the others.
 */
export function judge<Tried extends Named & { readonly by: string | null }>(
  tried: readonly Tried[],
  survivors: readonly Survivor[],
  { files, all }: { files: readonly string[]; all: readonly Named[] },
): Judged<Tried> {
  const alive = tried.filter(({ by }) => by === null);
  const reasons = new Set(survivors.map(keyOf));
  const noticed = new Set(tried.filter(({ by }) => by !== null).map(keyOf));
  const known = new Set(all.map(keyOf));
  return {
    alive,
    unexplained: alive.filter((change) => !reasons.has(keyOf(change))),
    superfluous: survivors.filter(
      (survivor) =>
        files.includes(survivor.file) &&
        (!known.has(keyOf(survivor)) || noticed.has(keyOf(survivor))),
    ),
  };
}

const keyOf = ({ file, name }: Named): string => `${file} ${name}`;

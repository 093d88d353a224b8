/** The files of this repository. The others belong to an installed package. */
const OWN: Readonly<Record<string, string>> = {
  "openapi.json": "../../../openapi.json",
  "problems.md": "../../../../../docs/problems.md",
};

/** Returns the location of a documentation file in an installed tree. */
export function installedDocsFile(name: string): string | URL {
  const own = OWN[name];
  return own === undefined
    ? new URL(name, import.meta.resolve("swagger-ui-dist/swagger-ui.css"))
    : new URL(own, import.meta.url);
}

import { existsSync } from "node:fs";

/** The files of this repository. The others belong to an installed package. */
const OWN: Readonly<Record<string, string>> = {
  "openapi.json": "../../../openapi.json",
  "problems.md": "../../../../../docs/problems.md",
};

/** Returns the location of a documentation file in an installed tree. */
export function installedDocsFile(name: string): string | URL {
  // A package that is one bundle has its files next to it.
  const packed = new URL(`./docs/${name}`, import.meta.url);
  if (existsSync(packed)) return packed;
  const own = OWN[name];
  return own === undefined
    ? new URL(name, import.meta.resolve("swagger-ui-dist/swagger-ui.css"))
    : new URL(own, import.meta.url);
}

/** Returns the location of a documentation file in an installed tree. */
export const installedDocsFile = (name: string): string | URL =>
  name === "openapi.json"
    ? new URL("../../../openapi.json", import.meta.url)
    : new URL(name, import.meta.resolve("swagger-ui-dist/swagger-ui.css"));

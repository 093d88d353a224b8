import { readFile } from "node:fs/promises";
import path from "node:path";

/** Returns a file of the built console by its name in its folder, or undefined. */
export type LoadConsoleFile = (name: string) => Promise<ConsoleFile | undefined>;

type ConsoleFile = { readonly bytes: Uint8Array<ArrayBuffer>; readonly contentType: string };

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** A name in the folder, or in its folder of assets. It can lead nowhere else. */
const NAME = /^(?:assets\/)?[\w-][\w.-]*\.(\w+)$/;

/** Reads each file of the console when it is first asked for. A cold start reads none. */
export function consoleFilesFrom(folder: () => string | Promise<string>): LoadConsoleFile {
  const loaded = new Map<string, ConsoleFile>();
  return async (name) => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const extension = NAME.exec(name)?.[1] ?? "";
    const contentType = Object.hasOwn(TYPES, extension) ? TYPES[extension] : undefined;
    if (contentType === undefined) return undefined;
    const bytes = await readFile(path.join(await folder(), name)).catch(unlessMissing);
    if (bytes === undefined) return undefined;
    const file = { bytes: new Uint8Array(bytes), contentType };
    loaded.set(name, file);
    return file;
  };
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

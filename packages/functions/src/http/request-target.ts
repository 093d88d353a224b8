import type { InvalidField } from "@eventledger/protocol";

/**
 * Returns why the address in a request line is ambiguous, or undefined when it is not. A URL parser
 * repairs all of this silently, and then one key becomes another.
 */
export function unclearTarget(target: string): InvalidField | undefined {
  const queryAt = target.indexOf("?");
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  const query = queryAt === -1 ? "" : target.slice(queryAt);
  return unclearPart("/path", path) ?? unclearPart("/query", query) ?? unclearSegments(path);
}

/**
 * Returns the address for a URL parser that treats a backslash as a slash. A backslash in a path is
 * escaped here, so that it keeps its meaning.
 */
export function keepBackslashes(target: string): string {
  const [path = ""] = target.split("?", 1);
  return path.replaceAll("\\", "%5C") + target.slice(path.length);
}

function unclearPart(pointer: string, part: string): InvalidField | undefined {
  if (UNSAFE.test(part)) {
    return { pointer, detail: "holds what must be percent-encoded: `#`, a space or no ASCII" };
  }
  try {
    decodeURIComponent(part);
    return undefined;
  } catch {
    return { pointer, detail: "must be percent-encoded UTF-8" };
  }
}

/** A server never receives a `#`, nor any byte other than printable ASCII. */
const UNSAFE = /[^\x21-\x7e]|#/;

function unclearSegments(path: string): InvalidField | undefined {
  if (!path.split("/").some((segment) => DOTS.test(segment))) return undefined;
  const detail =
    "holds `.` or `..` as a segment, which clients and servers leave out. Send such a key as `?key=`";
  return { pointer: "/path", detail };
}

const DOTS = /^(\.|%2e){1,2}$/i;

import type { InvalidField } from "@eventledger/protocol";

/**
 * Returns why the target of a request line is ambiguous, or undefined. URL parsers repair such a
 * target silently, which can turn one key into another.
 */
export function unclearTarget(target: string): InvalidField | undefined {
  const queryAt = target.indexOf("?");
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  const query = queryAt === -1 ? "" : target.slice(queryAt);
  return unclearPart("/path", path) ?? unclearPart("/query", query) ?? unclearSegments(path);
}

/**
 * Escapes each backslash in the path of a target. URL parsers treat a backslash as a slash, so it
 * would otherwise lose its meaning.
 */
export function keepBackslashes(target: string): string {
  const [path = ""] = target.split("?", 1);
  return path.replaceAll("\\", "%5C") + target.slice(path.length);
}

function unclearPart(pointer: string, part: string): InvalidField | undefined {
  if (UNSAFE.test(part)) {
    return {
      pointer,
      detail:
        "contains a character that must be percent-encoded: `#`, a space or one outside ASCII",
    };
  }
  try {
    decodeURIComponent(part);
    return undefined;
  } catch {
    return { pointer, detail: "must be percent-encoded UTF-8" };
  }
}

/**
 * Bytes that a client must not send in a target: a `#`, and any byte other than printable ASCII.
 */
const UNSAFE = /[^\x21-\x7e]|#/;

function unclearSegments(path: string): InvalidField | undefined {
  if (!path.split("/").some((segment) => DOTS.test(segment))) return undefined;
  const detail =
    "contains the segment `.` or `..`, which clients and servers remove. Send such a key as `?key=`";
  return { pointer: "/path", detail };
}

const DOTS = /^(\.|%2e){1,2}$/i;

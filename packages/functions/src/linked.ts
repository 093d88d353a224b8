import { Resource } from "sst/resource";

type Name = "AdminKey" | "CursorKey" | "PushKey";

/**
 * Returns the value of a linked secret, or an empty text when it is not linked. Reading an unlinked
 * secret throws.
 */
export function linked(name: Name): string {
  try {
    return (Resource as unknown as Record<Name, { value: string }>)[name].value;
  } catch {
    return "";
  }
}

/** The origin of a key. */
export type KeyOrigin = {
  readonly id: string;
  /** The id of the key that created it, or `root`. */
  readonly createdBy: string;
  /** The ids of all keys that it descends from, oldest first. Absent in old rows. */
  readonly ancestors?: readonly string[];
};

/**
 * Returns the keys that descend from any of `ids`, those with the longest descent first. A cascade
 * that is interrupted in this order finds the remaining keys again. Descendants made before
 * `ancestors` existed are found as long as every key in between exists. Pure.
 */
export function planCascade<Key extends KeyOrigin>(keys: readonly Key[], ids: string[]): Key[] {
  const found = new Set(ids);
  const descendants: Key[] = [];
  for (let before = -1; before < descendants.length; ) {
    before = descendants.length;
    for (const key of keys) {
      if (found.has(key.id) || !linesOf(key).some((id) => found.has(id))) continue;
      found.add(key.id);
      descendants.push(key);
    }
  }
  return descendants.reverse();
}

/** Returns the ancestors of a key made by `maker`. */
export const ancestryBelow = (maker: KeyOrigin): string[] => [
  ...(maker.ancestors ?? (maker.createdBy === ROOT ? [] : [maker.createdBy])),
  maker.id,
];

/** The creator that is not a key. It has no row and cannot be revoked. */
export const ROOT = "root";

const linesOf = ({ ancestors = [], createdBy }: KeyOrigin): readonly string[] => [
  ...ancestors,
  createdBy,
];

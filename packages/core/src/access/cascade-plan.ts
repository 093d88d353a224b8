/** What is known of where a key comes from. */
export type KeyOrigin = {
  readonly id: string;
  /** The key that made it, or `root`. */
  readonly createdBy: string;
  /** All keys that it descends from, the first one first. Absent in rows from before. */
  readonly ancestors?: readonly string[];
};

/**
 * The keys that descend from any of `ids`, those with the longest descent first: a cascade that is
 * interrupted in this order finds the rest again. Keys from before `ancestors` were kept are found
 * as long as every key between is there. Pure.
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

/** What a key made by `maker` descends from. */
export const ancestryBelow = (maker: KeyOrigin): string[] => [
  ...(maker.ancestors ?? (maker.createdBy === ROOT ? [] : [maker.createdBy])),
  maker.id,
];

/** The maker that is no key: it has no row, and cannot be revoked. */
export const ROOT = "root";

const linesOf = ({ ancestors = [], createdBy }: KeyOrigin): readonly string[] => [
  ...ancestors,
  createdBy,
];

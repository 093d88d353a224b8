/**
 * Blocks that no seed enters, with the reason. If another test covers them, the reason names it.
 */
export type Reason = {
  readonly why: string;
  /** `folder/file.ts: beginning of the block`, with single spaces as white space. */
  readonly blocks: readonly string[];
};

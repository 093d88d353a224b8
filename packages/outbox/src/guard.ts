/** An event that a consumer has received, and the life of its stream. */
export type Received = { readonly key: string; readonly sequence: number };

/** The second argument of a handler of `run`, or a page. Only its life is used. */
export type About = { readonly life: string };

export type GuardOptions = {
  /** The name of the consumer. Each consumer has its own memory. */
  readonly consumer: string;
  /** The name of the memory's table. */
  readonly table?: string | undefined;
};

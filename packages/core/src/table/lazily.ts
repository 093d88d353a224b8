type Made<Makers> = {
  readonly [Name in keyof Makers]: Makers[Name] extends () => infer T ? T : never;
};

/** An object whose members are each made when they are first looked at, and then kept. */
export function lazily<Makers extends Record<string, () => unknown>>(makers: Makers): Made<Makers> {
  const object = {};
  for (const [name, make] of Object.entries(makers)) {
    Object.defineProperty(object, name, {
      ...{ enumerable: true, configurable: true },
      get: () => {
        const value = make();
        Object.defineProperty(object, name, { enumerable: true, value });
        return value;
      },
    });
  }
  return object as Made<Makers>;
}

type Made<Makers> = {
  readonly [Name in keyof Makers]: Makers[Name] extends () => infer T ? T : never;
};

/** Returns an object that creates each member on first access, and then keeps it. */
export function lazily<Makers extends Record<string, () => unknown>>(makers: Makers): Made<Makers> {
  const object = {};
  for (const [name, make] of Object.entries(makers)) {
    Object.defineProperty(object, name, {
      enumerable: true,
      configurable: true,
      get: () => {
        const value = make();
        Object.defineProperty(object, name, { enumerable: true, value });
        return value;
      },
    });
  }
  return object as Made<Makers>;
}

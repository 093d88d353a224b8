import { Component, type ComponentType } from "preact";

/** Returns a component that is drawn again only when one of the named members has changed. */
export function memo<Props extends object>(
  View: ComponentType<Props>,
  ...names: readonly (keyof Props)[]
): ComponentType<Props> {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      return names.some((name) => next[name] !== this.props[name]);
    }
    render(props: Props) {
      return <View {...props} />;
    }
  };
}

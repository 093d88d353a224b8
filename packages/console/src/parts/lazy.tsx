import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure, Skeleton } from "./basics.tsx";

/** Returns a view whose code is loaded when it is first shown. */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let known: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [View, setView] = useState(() => known);
    const [error, setError] = useState<unknown>();
    useEffect(() => {
      if (View !== undefined) return;
      load().then((loaded) => {
        known = loaded;
        setView(() => loaded);
      }, setError);
    }, [View]);
    if (View !== undefined) return <View {...props} />;
    return error === undefined ? <Skeleton /> : <Failure error={error} />;
  };
}

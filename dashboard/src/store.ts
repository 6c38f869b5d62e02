import { useEffect, useRef, useState } from "preact/hooks";

/** A value that can be watched. `set` with the same value wakes nobody. */
export interface Store<S> {
  get(): S;
  set(next: S): void;
  subscribe(wake: () => void): () => void;
}

export function createStore<S>(initial: S): Store<S> {
  let value = initial;
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const wake of [...watchers]) wake();
    },
    subscribe(wake) {
      watchers.add(wake);
      return () => watchers.delete(wake);
    },
  };
}

/** The selected part of a store; redraws only when that part changes (by identity). */
export function useStore<S, T>(store: Store<S>, select: (state: S) => T): T {
  const [, redraw] = useState(0);
  const part = select(store.get());
  const latest = useRef({ select, part });
  latest.current = { select, part };
  useEffect(() => {
    const wake = () => {
      const { select: pick, part: shown } = latest.current;
      if (!Object.is(pick(store.get()), shown)) redraw((n) => n + 1);
    };
    wake();
    return store.subscribe(wake);
  }, [store]);
  return part;
}

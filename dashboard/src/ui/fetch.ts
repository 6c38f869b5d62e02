import { useCallback, useEffect, useState } from "preact/hooks";

export interface Fetched<T> {
  data: T | null;
  fault: unknown;
  reload: () => void;
}

/**
 * What `load` answers, asked again whenever a dependency changes. The last answer stays while a
 * new one is on its way; an answer that comes after a newer question is dropped.
 */
export function useFetched<T>(load: () => Promise<T>, deps: readonly unknown[]): Fetched<T> {
  const [state, set] = useState<{ data: T | null; fault: unknown }>({ data: null, fault: null });
  const [turn, again] = useState(0);
  useEffect(() => {
    let wanted = true;
    load().then(
      (data) => wanted && set({ data, fault: null }),
      (fault: unknown) => wanted && set((old) => ({ data: old.data, fault })),
    );
    return () => {
      wanted = false;
    };
  }, [...deps, turn]);
  return { ...state, reload: useCallback(() => again((n) => n + 1), []) };
}
